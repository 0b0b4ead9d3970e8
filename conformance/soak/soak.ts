import { setTimeout as sleep } from 'node:timers/promises';
import { busyboxImage, dockerArchive, layerTar } from '@fairlead/testkit';
import { randomOf } from './random.ts';
import { SoakEngine, type Holdings } from './soak-engine.ts';
import { isAllowed, mayBreakOff, SOAK_VERBS, type SoakScene, type SoakVerb } from './soak-verbs.ts';

export interface SoakOptions {
  /** Of the verbs and of when clients hang up; what they meet depends on the machine all the same. */
  readonly seed: number;
  readonly seconds: number;
  readonly clients: number;
}

export interface SoakReport {
  readonly requests: number;
  /** `verb: status × count`, the most frequent first. */
  readonly answers: readonly string[];
  /** What should not be: answers, leaks, growth. */
  readonly wrong: readonly string[];
  readonly before: Holdings;
  readonly after: Holdings;
}

/** A part of the time in which caches fill and code is compiled; memory is compared with its end. */
const WARM_UP = 0.25;
/** What a warm engine may hold more after the whole than after the warm-up: code is still compiled, tables of names grow. */
const HEAP_GROWTH_BYTES_MAX: number = 4 * 1024 * 1024;
/**
 * Resident memory is the allocators' to keep: measured over twenty minutes it goes up and down between 160 and 300 MiB. What
 * leaks would be seen in its peaks, once they have had some minutes to show themselves.
 */
const RESIDENT_BYTES_MAX: number = 500 * 1024 * 1024;
const PEAK_GROWTH_BYTES_MAX: number = 40 * 1024 * 1024;
const PEAKS_SAY_SOMETHING_AFTER_S = 600;
const FINDINGS_MAX = 50;
const SETTLE_WITHIN_MS = 15_000;
const SETTLE_POLL_MS = 1_000;
const SAMPLE_MS = 1_000;
/** Between two samples that are told. */
const SAMPLES_UNTOLD = 30;

/** Lets so many clients do whatever comes to their minds, and looks at what the engine has become. */
export async function soak({ seed, seconds, clients }: SoakOptions): Promise<SoakReport> {
  await using engine = await SoakEngine.start();
  const scene = await sceneOn(engine);
  const counts = new Map<string, number>();
  const wrong: string[] = [];
  const round = async (part: number, ms: number): Promise<void> => {
    const until = performance.now() + ms;
    const seeds = Array.from({ length: clients }, (_, index) => seed + part * 1_000 + index);
    await Promise.all(seeds.map((own) => client(scene, { seed: own, until, counts, wrong })));
    wrong.push(...(await engine.clear()).map((left) => `left after part ${part}: ${left}`));
  };
  using memory = new ResidentMemory(engine);
  await round(0, seconds * 1000 * WARM_UP);
  const before = await engine.holdings();
  await round(1, seconds * 1000 * (1 - WARM_UP));
  const after = await settled(engine, before);
  wrong.push(
    ...growth(before, after),
    ...memory.wrong(seconds),
    ...engine.failures().map((line) => `the engine's log: ${line.slice(0, 600)}`),
  );
  const sorted = [...counts].toSorted(([, a], [, b]) => b - a);
  return {
    requests: sorted.reduce((sum, [, count]) => sum + count, 0),
    answers: sorted.map(([answer, count]) => `${answer} × ${count}`),
    wrong: wrong.slice(0, FINDINGS_MAX),
    before,
    after,
  };
}

interface ClientTask {
  readonly seed: number;
  readonly until: number;
  readonly counts: Map<string, number>;
  readonly wrong: string[];
}

async function client(scene: SoakScene, { seed, until, counts, wrong }: ClientTask): Promise<void> {
  const random = randomOf(seed);
  const drawn = SOAK_VERBS.flatMap((verb) => Array.from({ length: verb.weight }, () => verb));
  while (performance.now() < until) {
    const verb = random.pick(drawn);
    const outcome = await verb.run(scene, random);
    const word = typeof outcome === 'string' ? outcome : 'failed' in outcome ? 'failed' : String(outcome.status);
    const key = `${verb.name}: ${word}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
    const finding = findingOf(verb, outcome);
    if (finding !== undefined) wrong.push(finding);
    if (random.chance(0.2)) await sleep(random.below(50));
  }
}

function findingOf(verb: SoakVerb, outcome: Awaited<ReturnType<SoakVerb['run']>>): string | undefined {
  if (typeof outcome === 'string') return undefined;
  if ('failed' in outcome) return mayBreakOff(verb, outcome.failed) ? undefined : `${verb.name}: ${outcome.failed}`;
  return isAllowed(verb, outcome) ? undefined : `${verb.name}: ${outcome.status} ${outcome.body.slice(0, 300).trim()}`;
}

/** How much of the engine was in memory, second by second. */
class ResidentMemory implements Disposable {
  readonly #samples: number[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(engine: SoakEngine) {
    this.#timer = setInterval(() => {
      const bytes = engine.residentBytes();
      this.#samples.push(bytes);
      if (this.#samples.length % SAMPLES_UNTOLD !== 0) return;
      const facts = `resident ${mebibytes(bytes)}, ${engine.descriptors()} descriptors`;
      console.log(`  after ${(this.#samples.length * SAMPLE_MS) / 1000} s: ${facts}`);
    }, SAMPLE_MS);
  }

  wrong(seconds: number): readonly string[] {
    const middle = Math.floor(this.#samples.length / 2);
    const [first, second] = [this.#samples.slice(0, middle), this.#samples.slice(middle)].map((half) =>
      Math.max(0, ...half),
    );
    const grownBytes = (second ?? 0) - (first ?? 0);
    const isLong = seconds >= PEAKS_SAY_SOMETHING_AFTER_S;
    return [
      ...((second ?? 0) > RESIDENT_BYTES_MAX ? [`${mebibytes(second ?? 0)} were resident`] : []),
      ...(isLong && grownBytes > PEAK_GROWTH_BYTES_MAX
        ? [`the peak of resident memory grew by ${mebibytes(grownBytes)}`]
        : []),
    ];
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** Connections that were hung up are closed when the engine comes to it. */
async function settled(engine: SoakEngine, before: Holdings): Promise<Holdings> {
  const until = performance.now() + SETTLE_WITHIN_MS;
  for (;;) {
    const held = await engine.holdings();
    if (growth(before, held).length === 0 || performance.now() > until) return held;
    await sleep(SETTLE_POLL_MS);
  }
}

function growth(before: Holdings, after: Holdings): readonly string[] {
  const heapBytes = after.memory.heapUsed + after.memory.external - before.memory.heapUsed - before.memory.external;
  const leaks = [
    ...more('descriptors', before.descriptors, after.descriptors),
    ...more('resources', before.resources, after.resources),
  ];
  return [
    ...leaks,
    ...(leaks.length > 0 ? after.sockets : []),
    ...(heapBytes > HEAP_GROWTH_BYTES_MAX ? [`the heap grew by ${mebibytes(heapBytes)}`] : []),
  ];
}

function more(
  what: string,
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
): readonly string[] {
  return Object.entries(after)
    .filter(([name, count]) => count > (before[name] ?? 0))
    .map(([name, count]) => `${what}: ${count} of ${name} instead of ${before[name] ?? 0}`);
}

/** For people. */
export function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

async function sceneOn(engine: SoakEngine): Promise<SoakScene> {
  const base = await busyboxImage();
  const archives = await Promise.all(
    [0, 1].map(async (index) => {
      const layer = await layerTar([{ name: 'loaded', content: Buffer.alloc(100_000, String(index)) }]);
      return await dockerArchive([{ ...base, layers: [layer], tags: [`loaded${index}:latest`] }]);
    }),
  );
  const names = ['web', 'dbs', 'job'].flatMap((kind) => Array.from({ length: 8 }, (_, index) => `${kind}${index}`));
  return {
    socketPath: engine.home.socketPath,
    cgroupParent: engine.cgroupParent,
    names,
    volumes: ['shared', 'data'],
    archives,
    files: await layerTar([{ name: 'some/' }, { name: 'some/file', content: 'text' }]),
  };
}
