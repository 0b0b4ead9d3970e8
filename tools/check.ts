/** The gate: every check that takes seconds, side by side, each with its output in one piece. */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const bin = join(root, 'node_modules', '.bin');

const CHECKS: readonly { readonly name: string; readonly command: readonly string[] }[] = [
  { name: 'types', command: [join(bin, 'tsc'), '-p', '.'] },
  { name: 'lint', command: [join(bin, 'oxlint')] },
  { name: 'format', command: [join(bin, 'oxfmt'), '--list-different'] },
  { name: 'layers', command: [process.execPath, 'tools/check-layers.ts'] },
  { name: 'limits', command: [process.execPath, 'tools/check-limits.ts'] },
  { name: 'bans', command: [process.execPath, 'tools/check-bans.ts'] },
  { name: 'docs', command: [process.execPath, 'tools/check-docs.ts'] },
  { name: 'compat', command: [process.execPath, 'tools/make-compatibility.ts', '--check'] },
];

interface Outcome {
  readonly name: string;
  readonly passed: boolean;
}

const queue = [...CHECKS];
const outcomes: Outcome[] = [];
await Promise.all(Array.from({ length: availableParallelism() }, drain));
const failed = outcomes.filter(({ passed }) => !passed);
if (failed.length > 0) {
  console.error(`check: failed: ${failed.map(({ name }) => name).join(', ')}`);
  process.exitCode = 1;
}

async function drain(): Promise<void> {
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) outcomes.push(await runCheck(next));
}

async function runCheck({ name, command }: (typeof CHECKS)[number]): Promise<Outcome> {
  const started = performance.now();
  const [program = '', ...args] = command;
  const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = new Promise<boolean>((resolve) => {
    child.once('error', () => resolve(false));
    child.once('close', (code) => resolve(code === 0));
  });
  const [output, errors, passed] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${passed ? 'ok  ' : 'FAIL'} ${name.padEnd(8)} ${seconds} s`);
  if (!passed) process.stderr.write(output + errors);
  return { name, passed };
}

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  let all = '';
  for await (const chunk of stream.setEncoding('utf8')) all += String(chunk);
  return all;
}
