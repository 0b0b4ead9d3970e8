/**
 * Runs the tests: `node tools/run-tests.ts [FILE…]`, all of them without arguments.
 *
 * Prepares the host the way the tests need it and puts it back, gives them one temporary directory, and ends with the test
 * runner's own summary. The last test compares the host with what it was before: see leftovers.test.ts.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { readHostTraces } from './host-traces.ts';

const root = join(import.meta.dirname, '..');

/** One test that takes longer hangs. The longest measured, 1,000 execs in a row, takes half a minute; `make soak` gives more. */
const TEST_TIMEOUT_MS = Number(process.env['TEST_TIMEOUT_MS'] ?? 240_000);
/** The runner limits tests, not processes: one that its tests have left with an open handle would be waited for for ever. */
const FILE_TIMEOUT_MS = 2 * TEST_TIMEOUT_MS;
/** One more than there are processors: of the time that the files take together, half is waiting for what was asked. */
const FILES_AT_ONCE = availableParallelism() + 1;
/** How many files are named at the end with the time they took: what belongs among {@link SLOWEST} is seen there. */
const SLOWEST_SHOWN = 12;

/** Those that take longest start first, so that none of them runs alone at the end: longer than 15 s each, the longest first. */
const SLOWEST: readonly string[] = [
  'conformance/differential/differential.test.ts',
  'conformance/soak/soak.test.ts',
  'packages/fleet/src/hub/cluster.test.ts',
  'conformance/client/lifecycle.test.ts',
  'conformance/crash/crash.test.ts',
  'conformance/fleet/failure-matrix.test.ts',
  'conformance/fleet/agent-trouble.test.ts',
  'packages/fleet/src/hub/hub-crash.test.ts',
  'conformance/sessions/fairlead-cli.test.ts',
  'conformance/sessions/exec-streams.test.ts',
  'packages/fleet/src/agent/link/link.test.ts',
  'conformance/sessions/stop.test.ts',
  'conformance/fleet/agent-crash.test.ts',
  'conformance/client/client.test.ts',
  'conformance/client/cli.test.ts',
  'conformance/published/packages.test.ts',
];
const ORDER: readonly string[] = [
  ...SLOWEST,
  'conformance/**/*.test.ts',
  'packages/fleet/**/*.test.ts',
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

const files = testFiles(process.argv.slice(2));
const stream = run({ files, concurrency: FILES_AT_ONCE, timeout: TEST_TIMEOUT_MS });
stream.on('test:fail', ({ todo }) => {
  if (todo === undefined || todo === false) process.exitCode = 1;
});
const tookMs = new Map<string, number>();
stream.on('test:complete', ({ name, file, details }) => {
  // A file is a test of its own name to the runner.
  if (name !== file) return;
  tookMs.set(file, details.duration_ms);
  if (tookMs.size === files.length - 1) nameSlowest();
});
stream.compose(new spec()).pipe(process.stdout);
/** When the process of each running test file was first seen. */
const seenSince = new Map<string, number>();
const watch = setInterval(endWhatHangs, 10_000);
stream.once('end', () => clearInterval(watch));
process.once('exit', putBack);

/** Ends test files that take too long, which makes them fail, and says which. */
function endWhatHangs(): void {
  const now = performance.now();
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').split(' ').filter(Boolean);
  for (const pid of seenSince.keys()) if (!children.includes(pid)) seenSince.delete(pid);
  for (const pid of children) {
    const since = seenSince.get(pid) ?? now;
    seenSince.set(pid, since);
    if (now - since < FILE_TIMEOUT_MS) continue;
    const file = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').at(-2);
    console.error(`run-tests: ended after ${Math.round((now - since) / 1000)} s, its process did not exit: ${file}`);
    process.kill(Number(pid), 'SIGKILL');
  }
}

/** Before the last file, so that the runner's summary comes last. */
function nameSlowest(): void {
  const slowest = [...tookMs].toSorted(([, a], [, b]) => b - a).slice(0, SLOWEST_SHOWN);
  const lines = slowest.map(([file, ms]) => `${(ms / 1000).toFixed(1).padStart(7)} s  ${relative(root, file)}`);
  console.log(`the slowest files:\n${lines.join('\n')}`);
}

function testFiles(wanted: readonly string[]): string[] {
  const patterns = wanted.length > 0 ? wanted : ORDER;
  const unknown = SLOWEST.filter((file) => !existsSync(file));
  if (unknown.length > 0) throw new Error(`no test files, but among the slowest: ${unknown.join(', ')}`);
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
