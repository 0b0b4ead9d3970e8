/** Random verbs from many clients, for as long as is asked for: `make soak`. Ends with 1 when anything is left, grows or lies. */
import { mebibytes, soak } from './soak.ts';

const seconds = Number(process.env['SOAK_SECONDS'] ?? 1_200);
const clients = Number(process.env['SOAK_CLIENTS'] ?? 16);
const seed = Number(process.env['SOAK_SEED'] ?? Date.now() % 1_000_000);

console.log(`soak: ${clients} clients for ${seconds} s, SOAK_SEED=${seed}`);
const report = await soak({ seed, seconds, clients });
for (const line of report.answers) console.log(`  ${line}`);
const { before, after } = report;
console.log(`${report.requests} requests, ${(report.requests / seconds).toFixed(0)} a second`);
console.log(
  `heap ${mebibytes(before.memory.heapUsed)} → ${mebibytes(after.memory.heapUsed)}, resident ${mebibytes(before.memory.rss)} → ${mebibytes(after.memory.rss)}`,
);
for (const line of report.wrong) console.log(`WRONG ${line}`);
if (report.wrong.length > 0) process.exitCode = 1;
else console.log('nothing is left, nothing has grown');
