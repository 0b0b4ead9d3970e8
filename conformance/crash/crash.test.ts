import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { checkpointsOf, crashAt, pointsOf, type CrashFinding, type CrashPoint } from './crash-points.ts';
import { checkpointsOfOpen, crashOpenAt } from './crash-open.ts';
import { CrashWorld } from './crash-world.ts';
import { PORT_VERBS } from './port-verbs.ts';
import { CRASH_VERBS } from './verbs.ts';
import { VOLUME_VERBS } from './volume-verbs.ts';

/** How many points of each verb are tried, evenly; `CRASH_POINTS=all` is all of them, and takes half an hour. */
const POINTS = process.env['CRASH_POINTS'] === 'all' ? Infinity : Number(process.env['CRASH_POINTS'] ?? 1);
/** All points of one verb, on a busy machine. */
const VERB_MS = 30 * 60_000;
const ONLY = process.env['CRASH_VERB'];

const VERBS = [...CRASH_VERBS, ...VOLUME_VERBS, ...PORT_VERBS].filter(
  ({ name }) => ONLY === undefined || name === ONLY,
);

describe('an engine that is killed in the middle of', () => {
  let world: CrashWorld;
  /** By verb, or why they could not be learned. */
  const checkpoints: (readonly string[] | Error)[] = [];
  before(async () => {
    world = await CrashWorld.open();
    for (const verb of VERBS) checkpoints.push(await checkpointsOf(world, verb).catch((error: Error) => error));
  });
  after(() => world[Symbol.asyncDispose]());
  const pointsOfVerb = (at: number): readonly CrashPoint[] => pointsOf(namesOf(checkpoints[at]).length, POINTS);

  for (const [at, verb] of VERBS.entries()) {
    it(`${verb.name} agrees with the kernel when it is back`, { timeout: VERB_MS }, async (test) => {
      const learned = checkpoints[at];
      if (learned instanceof Error) throw learned;
      const [points, [following]] = [pointsOfVerb(at), pointsOfVerb(at + 1)];
      test.diagnostic(`${namesOf(learned).length} checkpoints, ${points.length} crashes`);
      assertNothing(await crashAt(world, verb, { points, following }), namesOf(learned));
    });
  }

  it('its own start agrees with the kernel when it is back', { timeout: VERB_MS }, async (test) => {
    const names = await checkpointsOfOpen(world);
    const points = pointsOf(names.length, POINTS);
    test.diagnostic(`${names.length} checkpoints, ${points.length} crashes`);
    assertNothing(await crashOpenAt(world, points), names);
  });
});

function namesOf(learned: readonly string[] | Error | undefined): readonly string[] {
  return learned === undefined || learned instanceof Error ? [] : learned;
}

function assertNothing(findings: readonly CrashFinding[], names: readonly string[]): void {
  const told = findings.map(
    ({ point, wrong }) => `${point} at ${names[Number(point.split(' ')[1])]}: ${wrong.join('; ')}`,
  );
  assert.deepEqual(told, []);
}
