import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CrashWorld } from './crash-world.ts';
import { create, type CrashVerb } from './verbs.ts';

/** One place to die at. */
export interface CrashPoint {
  /** Number of the checkpoint, from 0. */
  readonly index: number;
  readonly when: 'crash' | 'crash-after';
}

/** What went wrong at one point. */
export interface CrashFinding {
  readonly point: string;
  readonly wrong: readonly string[];
}

const SETTLE_TRIES = 80;
const SETTLE_POLL_MS = 25;

/** Learns which checkpoints a verb passes, by an engine that counts them and does not die. It is left running. */
export async function checkpointsOf(world: CrashWorld, verb: CrashVerb): Promise<readonly string[]> {
  await world.switchToTracing();
  world.forgetEvents();
  await verb.prepare(world);
  const names = await world.traced(() => verb.run(world));
  const wrong = await sweep(world);
  if (wrong.length > 0) throw new Error(`${verb.name}, without a crash: ${wrong.join('; ')}`);
  return names;
}

/** Every point, or `count` of them, evenly: before and after each of so many checkpoints. */
export function pointsOf(checkpoints: number, count: number = Infinity): readonly CrashPoint[] {
  const all = Array.from({ length: checkpoints * 2 }, (_, at): CrashPoint => {
    return { index: Math.floor(at / 2), when: at % 2 === 0 ? 'crash' : 'crash-after' };
  });
  if (all.length <= count) return all;
  const chosen = Array.from({ length: count }, (_, at) => all[Math.floor(((at + 0.5) * all.length) / count)]);
  return chosen.filter((point) => point !== undefined);
}

/**
 * Lets the engine die at each of the points, and looks at what the next one makes of it: the verb's own promises, agreement
 * with the kernel, and whether everything can be used and removed.
 *
 * The engine that looks at what the last one left is the one that dies next, a start less for each point: left running is one that
 * dies at `following`, without it one that counts.
 */
export async function crashAt(
  world: CrashWorld,
  verb: CrashVerb,
  { points, following }: { readonly points: readonly CrashPoint[]; readonly following: CrashPoint | undefined },
): Promise<readonly CrashFinding[]> {
  const findings: CrashFinding[] = [];
  for (const [at, point] of points.entries()) {
    await world.switchTo(ruleOf(point));
    world.forgetEvents();
    await verb.prepare(world);
    world.arm();
    // It is the engine's death that breaks the verb off; what it breaks off with does not matter.
    await verb.run(world).catch(() => {});
    const crashed = await world.hasCrashed();
    if (!crashed) await world.kill();
    const next = points[at + 1] ?? following;
    if (next === undefined) await world.switchToTracing();
    else await world.start(ruleOf(next));
    const wrong = [...(await verb.check(world)), ...(await world.differences()), ...(await sweep(world))];
    if (wrong.length > 0)
      findings.push({ point: `${point.when} ${point.index}${crashed ? '' : ' (not reached)'}`, wrong });
  }
  return findings;
}

/** The clause of a fault plan that lets an engine die there. */
export function ruleOf({ index, when }: CrashPoint): string {
  return `any: ${index === 0 ? '' : `${index}*ok -> `}${when}`;
}

/** Uses and removes every container and every image but the first, and looks whether anything is left. */
export async function sweep(world: CrashWorld): Promise<readonly string[]> {
  const wrong: string[] = [];
  const granted = async (target: string, question: Parameters<CrashWorld['ask']>[1] = {}): Promise<void> => {
    const { status, body } = await world.ask(target, question);
    if (status >= 400) wrong.push(`${target}: ${status} ${body.trim()}`);
  };
  for (const { Id, State } of await world.containers()) {
    if (State.Paused) await granted(`POST /containers/${Id}/unpause`);
    if (!State.Running) await granted(`POST /containers/${Id}/start`);
    await granted(`POST /containers/${Id}/exec`, { json: { Cmd: ['true'] } });
    await granted(`DELETE /containers/${Id}?force=1`);
  }
  // Its name is free, whatever became of the container.
  await create(world).catch((error: unknown) => wrong.push(String(error)));
  await granted('DELETE /containers/web');
  await world.ask('DELETE /images/extra:latest');
  wrong.push(...(await world.differences()), ...(await leftOnDisk(world)));
  return wrong;
}

/** So that what went wrong at one point is not found again at the next. */
async function removeOtherImages(world: CrashWorld): Promise<void> {
  const images = JSON.parse(await world.need('GET /images/json')) as readonly {
    readonly Id: string;
    readonly RepoTags: readonly string[];
  }[];
  for (const { Id, RepoTags } of images) {
    if (!RepoTags.includes('busybox:latest')) await world.ask(`DELETE /images/${Id}?force=1`);
  }
}

/** With one image left there is one layer, and two blobs: its config and its layer. */
async function leftOnDisk(world: CrashWorld): Promise<readonly string[]> {
  for (let tries = 0; ; tries += 1) {
    const layers = readdirSync(join(world.home.root, 'layers')).filter((name) => /^[0-9a-z]{6}$/.test(name));
    const blobs = readdirSync(join(world.home.root, 'content/sha256'));
    if (layers.length === 1 && blobs.length === 2) return [];
    if (tries === SETTLE_TRIES) {
      await removeOtherImages(world);
      return [`${layers.length} layers and ${blobs.length} blobs of one image of one layer`];
    }
    await sleep(SETTLE_POLL_MS);
  }
}
