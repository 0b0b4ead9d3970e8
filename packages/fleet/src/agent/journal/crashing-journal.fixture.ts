/** `crashing-journal.fixture.ts DIRECTORY PLACE`: writes until it dies at PLACE; prints the id of every record that was resolved. */
import { writeSync } from 'node:fs';
import { parseCrashPoint } from '../../lib/crash-point.ts';
import { silentFleetLog } from '../../lib/log.ts';
import { Journal } from './journal.ts';

const [directory = '', place] = process.argv.slice(2);
const points = parseCrashPoint(place, () => process.kill(process.pid, 'SIGKILL'));
const journal = await Journal.open({ directory, expectedId: undefined, log: silentFleetLog, points });
for (let count = 1; count < 1_000; count += 1) {
  const op = `op_${count}`;
  const actor = { name: 'x'.repeat(2_000), role: 'admin' } as const;
  const message = { operationId: op, command: { verb: 'noop' }, actor, mode: 'live' } as const;
  await journal.append({ kind: 'RECEIVED', op, message, at: { bootId: '', ms: 0 } });
  writeSync(1, `${op}\n`);
}
