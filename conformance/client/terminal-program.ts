/** A program with a session at its terminal: `node terminal-program.ts HOST CONTAINER [throw]`. Says how it ended. */
import { connect } from '@fairlead/client';

const [host = '', name = '', mode = ''] = process.argv.slice(2);
await using docker = await connect({ host, env: {} });
const { rows, columns } = process.stdout;
await using shell = await docker.containers.spawn(name, ['sh'], {
  tty: true,
  size: { rows, columns },
  env: ['PS1=inner$ '],
});
if (mode === 'throw') setTimeout(() => void Promise.reject(new Error('a bug of ours')), 500);
try {
  const end = await shell.pipeTerminal(process);
  process.stdout.write(`ended: ${end}, ${end === 'detached' ? shell.id.slice(0, 12) : await shell.exitCode()}\n`);
} catch (error) {
  process.stdout.write(`failed: ${String(error)}\n`);
  process.exitCode = 1;
}
// Whoever detaches leaves: what is typed next is the shell's.
process.stdin.unref();
