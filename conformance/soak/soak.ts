import { setTimeout as sleep } from 'node:timers/promises';
import { busyboxImage, dockerArchive, layerTar } from '@fairlead/testkit';
import { randomOf } from './random.ts';
import { SoakEngine, type Holdings } from './soak-engine.ts';
import { growth, memoryWords, ResidentMemory } from './soak-memory.ts';
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
  /** What the engine held whenever everything had been removed: after the warm-up, and after each part that followed. */
  readonly rests: readonly Holdings[];
}

/** A part of the time in which caches fill and code is compiled; what the engine holds is compared with its end. */
const WARM_UP = 0.25;
/** How long the clients go on between two rests, in which the engine is asked what it holds when it has nothing to do. */
const PART_MS_MIN = 10_000;
const PARTS_MAX = 10;
const FINDINGS_MAX = 50;
const SETTLE_WITHIN_MS = 15_000;
const SETTLE_POLL_MS = 1_000;

/** Lets so many clients do whatever comes to their minds, and looks at what the engine has become. */
export async function soak({ seed, seconds, clients }: SoakOptions): Promise<SoakReport> {
  await using engine = await SoakEngine.start();
  const scene = await sceneOn(engine);
  const counts = new Map<string, number>();
  const wrong: string[] = [];
  const round = async (part: number, ms: number): Promise<Holdings> => {
    const until = performance.now() + ms;
    const seeds = Array.from({ length: clients }, (_, index) => seed + part * 1_000 + index);
    await Promise.all(seeds.map((own) => client(scene, { seed: own, until, counts, wrong })));
    wrong.push(...(await engine.clear()).map((left) => `left after part ${part}: ${left}`));
    const held = await engine.holdings();
    console.log(`  part ${part}: ${memoryWords(held)}`);
    return held;
  };
  using memory = new ResidentMemory(engine);
  const first = await round(0, seconds * 1000 * WARM_UP);
  const rests = [first];
  const restMs = seconds * 1000 * (1 - WARM_UP);
  const parts = Math.max(1, Math.min(PARTS_MAX, Math.floor(restMs / PART_MS_MIN)));
  for (let part = 1; part <= parts; part++) rests.push(await round(part, restMs / parts));
  rests.push(await settled(engine, first));
  wrong.push(
    ...leaks(first, rests.at(-1) ?? first),
    ...growth(rests.map((rest) => rest.memory)),
    ...memory.wrong(),
    ...engine.failures().map((line) => `the engine's log: ${line.slice(0, 600)}`),
  );
  const sorted = [...counts].toSorted(([, a], [, b]) => b - a);
  return {
    requests: sorted.reduce((sum, [, count]) => sum + count, 0),
    answers: sorted.map(([answer, count]) => `${answer} × ${count}`),
    wrong: wrong.slice(0, FINDINGS_MAX),
    rests,
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

/** Connections that were hung up are closed when the engine comes to it. */
async function settled(engine: SoakEngine, before: Holdings): Promise<Holdings> {
  const until = performance.now() + SETTLE_WITHIN_MS;
  for (;;) {
    const held = await engine.holdings();
    if (leaks(before, held).length === 0 || performance.now() > until) return held;
    await sleep(SETTLE_POLL_MS);
  }
}

/** Descriptors, sockets, timers and children that were not there before. */
function leaks(before: Holdings, after: Holdings): readonly string[] {
  const found = [
    ...more('descriptors', before.descriptors, after.descriptors),
    ...more('resources', before.resources, after.resources),
  ];
  return found.length > 0 ? [...found, ...after.sockets] : [];
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
