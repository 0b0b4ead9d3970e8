/**
 * `make bench`: measures Fairlead, dockerd, podman and the bare runtime side by side, in one run.
 *
 *   node bench/main.ts [--rounds N] [--only NAME,NAME] [--measure KEY,KEY] [--save]
 *
 * Rounds are interleaved, because a noisy machine is noisy for everyone then. `--save` writes bench/results.json and
 * .md, and the table in the README.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bareRuntime } from './bare-runtime.ts';
import type { Contender } from './contender.ts';
import { dockerContender } from './docker-contender.ts';
import { installedEngines, programPath, startEngine } from './engines.ts';
import { makeFixture } from './fixture.ts';
import { COLD_START, median, MEASUREMENTS, type Measurement } from './measure.ts';
import { document, table, withTable, type BenchResults } from './report.ts';

/** Starts of each engine whose median is its cold start. */
const COLD_STARTS = 3;

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    only: { type: 'string' },
    measure: { type: 'string' },
    save: { type: 'boolean', default: false },
  },
});
const repository = join(import.meta.dirname, '..');
const rounds = Number(options.rounds);
if (!Number.isInteger(rounds) || rounds < 1) throw new RangeError('--rounds takes a number of 1 or more');
if (process.getuid?.() !== 0) throw new Error('make bench runs containers: it needs root');

await using undo = new AsyncDisposableStack();
mountCgroups(undo);
removeNewCgroups(undo);
const home = mkdtempSync(join(tmpdir(), 'bench-'));
undo.defer(() => rmSync(home, { recursive: true, force: true }));
const stopped = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.abort());

const contenders: { readonly contender: Contender; readonly values: Record<string, number[]> }[] = [];
for (const contender of await startContenders()) contenders.push({ contender, values: {} });
await measureRounds();
if (!stopped.signal.aborted) publish();

async function startContenders(): Promise<readonly Contender[]> {
  const fixture = makeFixture(home);
  const wanted = options.only?.toLowerCase().split(',');
  const isWanted = (name: string): boolean => wanted === undefined || wanted.includes(name.toLowerCase());
  const started: Contender[] = [];
  for (const kind of installedEngines(repository).filter(({ name }) => isWanted(name))) {
    const coldStarts: number[] = [];
    for (let at = 1; at < COLD_STARTS; at++) {
      await using short = await startEngine(kind, join(home, `${kind.name}-${at}`), fixture.textDirectory);
      short.http.close();
      coldStarts.push(short.coldStartMs);
    }
    const engine = undo.use(await startEngine(kind, join(home, kind.name), fixture.textDirectory));
    const coldStartMs = median([...coldStarts, engine.coldStartMs]);
    started.push(undo.use(await dockerContender({ ...engine, coldStartMs }, fixture.rootfsTar)));
    progress(`${kind.name} is up`);
  }
  const runtime = ['crun', 'runc'].find((name) => programPath(name) !== undefined && works(name));
  if (runtime !== undefined && isWanted('bare')) {
    mkdirSync(join(home, 'bare'));
    started.push(undo.use(await bareRuntime(runtime, join(home, 'bare'), fixture)));
  }
  return started;
}

/** crun refuses some hosts: see tools/mount-leftover-cgroups.sh. */
function works(runtime: string): boolean {
  return spawnSync(runtime, ['--root', join(home, 'probe'), 'list'], { stdio: 'ignore' }).status === 0;
}

async function measureRounds(): Promise<void> {
  const wanted = options.measure?.split(',');
  const measurements = MEASUREMENTS.filter(({ key }) => wanted === undefined || wanted.includes(key));
  for (let round = 0; round <= rounds; round++) {
    for (const measurement of measurements) await measureOnce(measurement, round > 0);
    if (stopped.signal.aborted) return;
    progress(round === 0 ? 'warmed up' : `round ${round} of ${rounds}`);
  }
  for (const { contender, values } of contenders)
    if (contender.coldStartMs !== undefined) values[COLD_START.key] = [contender.coldStartMs];
}

async function measureOnce({ key, measure }: Measurement, counts: boolean): Promise<void> {
  for (const { contender, values } of contenders) {
    if (stopped.signal.aborted) return;
    const value = await measure(contender);
    // The first round warms up: caches, and what an engine loads when it is first needed.
    if (value !== undefined && counts) (values[key] ??= []).push(value);
  }
}

function publish(): void {
  const results: BenchResults = {
    takenAt: new Date().toISOString().slice(0, 10),
    rounds,
    host: { cpus: availableParallelism(), kernel: release().split('-')[0] ?? '' },
    contenders: contenders.map(({ contender: { name, version }, values }) => ({ name, version, values })),
  };
  console.log(table(results));
  if (!options.save) return;
  writeFileSync(join(import.meta.dirname, 'results.json'), `${JSON.stringify(results, null, 1)}\n`);
  writeFileSync(join(import.meta.dirname, 'results.md'), document(results));
  const readme = join(repository, 'README.md');
  writeFileSync(readme, withTable(readFileSync(readme, 'utf8'), table(results)));
}

/** Mounts what crun needs on a hybrid host, and unmounts what this run mounted. */
function mountCgroups(stack: AsyncDisposableStack): void {
  const before = mountPoints();
  execFileSync('sh', [join(repository, 'tools', 'mount-leftover-cgroups.sh')], { stdio: 'ignore' });
  for (const path of mountPoints().filter((one) => !before.includes(one)))
    stack.defer(() => void spawnSync('umount', [path]));
}

/** Engines leave the empty parents of their containers' cgroups behind: `docker`, `libpod_parent`. */
function removeNewCgroups(stack: AsyncDisposableStack): void {
  const before = new Set(cgroups());
  // rmdir refuses what is in use, and that is right: somebody else's container.
  stack.defer(
    () =>
      void spawnSync(
        'rmdir',
        [
          '--',
          ...cgroups()
            .filter((path) => !before.has(path))
            .toReversed(),
        ],
        { stdio: 'ignore' },
      ),
  );
}

function cgroups(): readonly string[] {
  return globSync('/sys/fs/cgroup/*/{docker,libpod_parent,fairlead}{,/**}', { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function mountPoints(): readonly string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '');
}

function progress(text: string): void {
  console.error(`bench: ${text}`);
}
