/** The measurements: each returns one number of one round. */
import type { Contender } from './contender.ts';
import { isMonitor, processWeights } from './memory.ts';

/** One row of the table. */
export interface Measurement {
  readonly key: string;
  readonly title: string;
  readonly unit: 'ms' | 'MB/s' | 'MB';
  readonly better: 'less' | 'more';
  /** Undefined where the contender has no such thing. */
  readonly measure: (contender: Contender) => Promise<number | undefined>;
}

const MB = 1_000_000;
const RUNS = 5;
const EXECS = 10;
const CONCURRENT_RUNS = 30;
const CONCURRENT_EXECS = 50;
const IDLE_CONTAINERS = 10;
const EXEC_OUTPUT_BYTES: number = 256 * 1024 * 1024;
const ATTACHED_OUTPUT_BYTES: number = 64 * 1024 * 1024;

/** In the order of the table; one round takes each of them once. */
export const MEASUREMENTS: readonly Measurement[] = [
  {
    key: 'run',
    title: 'run `true` to its exit, no network',
    unit: 'ms',
    better: 'less',
    measure: (one) => medianTime(RUNS, () => one.runTrue()),
  },
  {
    key: 'exec',
    title: 'exec `true`, with its exit code',
    unit: 'ms',
    better: 'less',
    measure: (one) => medianTime(EXECS, () => one.execTrue()),
  },
  {
    key: 'exec-output',
    title: 'exec, 256 MiB of stdout',
    unit: 'MB/s',
    better: 'more',
    measure: (one) => rate(EXEC_OUTPUT_BYTES, (bytes) => one.execOutput(bytes)),
  },
  {
    key: 'attached-output',
    title: 'attached run, 64 MiB of stdout',
    unit: 'MB/s',
    better: 'more',
    measure: (one) => rate(ATTACHED_OUTPUT_BYTES, (bytes) => one.attachedOutput(bytes)),
  },
  {
    key: 'concurrent-runs',
    title: `${CONCURRENT_RUNS} runs at once`,
    unit: 'ms',
    better: 'less',
    measure: (one) => timeOfAll(CONCURRENT_RUNS, () => one.runTrue()),
  },
  {
    key: 'concurrent-execs',
    title: `${CONCURRENT_EXECS} execs at once`,
    unit: 'ms',
    better: 'less',
    measure: (one) => timeOfAll(CONCURRENT_EXECS, () => one.execTrue()),
  },
  { key: 'idle-pss', title: 'memory per idle container (PSS)', unit: 'MB', better: 'less', measure: idlePss },
  {
    key: 'engine-rss',
    title: 'engine, after all of the above (RSS)',
    unit: 'MB',
    better: 'less',
    measure: async (one) => megabytes(one.engineRssBytes()),
  },
];

/** Taken once, when the engine starts. */
export const COLD_START = {
  key: 'cold-start',
  title: 'engine, start to first answer',
  unit: 'ms',
  better: 'less',
} as const;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

async function medianTime(times: number, work: () => Promise<void>): Promise<number> {
  const taken: number[] = [];
  for (let at = 0; at < times; at++) taken.push(await timeOf(work));
  return median(taken);
}

function timeOfAll(count: number, work: () => Promise<void>): Promise<number> {
  return timeOf(async () => void (await Promise.all(Array.from({ length: count }, work))));
}

async function timeOf(work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

async function rate(bytes: number, read: (bytes: number) => Promise<number>): Promise<number> {
  const started = performance.now();
  const received = await read(bytes);
  const seconds = (performance.now() - started) / 1000;
  if (received < bytes) throw new Error(`${received} bytes arrived, ${bytes} were written`);
  return bytes / MB / seconds;
}

/** Everything outside the containers that is there because of them: monitors and shims. */
async function idlePss(contender: Contender): Promise<number> {
  const before = new Set(processWeights().map(({ pid }) => pid));
  await using _idle = await contender.idle(IDLE_CONTAINERS);
  const added = processWeights().filter(
    ({ pid, name, contained }) => !before.has(pid) && !contained && isMonitor(name),
  );
  return added.reduce((sum, { pssBytes }) => sum + pssBytes, 0) / MB / IDLE_CONTAINERS;
}

function megabytes(bytes: number | undefined): number | undefined {
  return bytes === undefined ? undefined : bytes / MB;
}
