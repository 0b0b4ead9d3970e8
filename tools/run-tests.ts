/**
 * Runs the tests: `node tools/run-tests.ts [FILE…]`, all of them without arguments.
 *
 * Prepares the host the way the tests need it and puts it back, gives them one temporary directory, and ends with the test
 * runner's own summary. The last test compares the host with what it was before: see leftovers.test.ts.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { readHostTraces } from './host-traces.ts';

const root = join(import.meta.dirname, '..');

/** One test that takes longer hangs. The longest measured, 1,000 execs in a row, takes half a minute; `make soak` gives more. */
const TEST_TIMEOUT_MS = Number(process.env['TEST_TIMEOUT_MS'] ?? 240_000);
/** The runner limits tests, not processes: one that its tests have left with an open handle would be waited for for ever. */
const FILE_TIMEOUT_MS = 2 * TEST_TIMEOUT_MS;
const FILES_AT_ONCE = 2;

/** Slow files start first, so that none of them runs alone at the end. */
const ORDER: readonly string[] = [
  'conformance/**/*.test.ts',
  'packages/engine/**/*.test.ts',
  'packages/*/src/**/*.test.ts',
  'native/test/**/*.test.ts',
  'tools/**/*.test.ts',
  'bench/**/*.test.ts',
];
const LAST = 'tools/leftovers.test.ts';

process.chdir(root);
if (process.getuid?.() !== 0) console.error('run-tests: not root: whatever drives real containers will fail');
const mountedBefore = mountPoints();
if (process.getuid?.() === 0) execFileSync('sh', ['tools/mount-leftover-cgroups.sh'], { stdio: 'inherit' });
const mountedForTests = mountPoints().filter((path) => !mountedBefore.includes(path));

// Short, because the paths of unix sockets below it may have 107 bytes.
const directory = mkdtempSync(join(tmpdir(), 'ft-'));
const home = join(directory, 't');
mkdirSync(home);
const beforeFile = join(directory, 'before.json');
writeFileSync(beforeFile, JSON.stringify(readHostTraces(home)));
Object.assign(process.env, { TMPDIR: home, FAIRLEAD_TEST_HOME: home, FAIRLEAD_TEST_BEFORE: beforeFile });
// Where `bin/fairlead` keeps it: some three hundred test files and as many engines start from the same sources.
process.env['NODE_COMPILE_CACHE'] ??= join(root, 'node_modules/.cache/fairlead');

const stream = run({ files: testFiles(process.argv.slice(2)), concurrency: FILES_AT_ONCE, timeout: TEST_TIMEOUT_MS });
stream.on('test:fail', ({ todo }) => {
  if (todo === undefined || todo === false) process.exitCode = 1;
});
stream.compose(new spec()).pipe(process.stdout);
const watch = setInterval(endWhatHangs, 10_000);
stream.once('end', () => clearInterval(watch));
process.once('exit', putBack);

/** Ends test files that take too long, which makes them fail, and says which. */
function endWhatHangs(): void {
  const { stdout } = spawnSync('ps', ['-o', 'pid=,etimes=,args=', '--ppid', String(process.pid)], { encoding: 'utf8' });
  for (const line of stdout.split('\n')) {
    const [pid = '', seconds = '', ...args] = line.trim().split(/\s+/);
    if (Number(seconds) * 1000 < FILE_TIMEOUT_MS) continue;
    console.error(`run-tests: ended after ${seconds} s, its process did not exit: ${args.at(-1)}`);
    process.kill(Number(pid), 'SIGKILL');
  }
}

function testFiles(wanted: readonly string[]): string[] {
  const patterns = wanted.length > 0 ? wanted : ORDER;
  const found = [...new Set(patterns.flatMap((pattern) => globSync(pattern).sort()))];
  const files = [...found.filter((file) => file !== LAST && !file.includes('node_modules')), LAST];
  if (files.length === 1) throw new Error('no test file found');
  return files.map((file) => join(root, file));
}

/** Undoes the set-up. A test that left something behind has failed by now; its traces stay for whoever looks into it. */
function putBack(): void {
  for (const path of mountedForTests.toReversed()) {
    const { status, stderr } = spawnSync('umount', [path], { encoding: 'utf8' });
    if (status !== 0) console.error(`run-tests: ${stderr.trim()}`);
  }
  if (process.exitCode === undefined) rmSync(directory, { recursive: true, force: true });
}

function mountPoints(): readonly string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '');
}
