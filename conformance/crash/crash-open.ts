import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ruleOf, sweep, type CrashFinding, type CrashPoint } from './crash-points.ts';
import type { CrashWorld } from './crash-world.ts';
import { create, expectStatus } from './verbs.ts';

/** Where in the middle of a start the engine dies before it is opened again: the process is made and not yet let run. */
const IN_A_START = 'process.spawn: ok -> crash';

/** What each container of the scene has to have come to when an engine has opened on it. */
const ENDS: readonly (readonly [name: string, statuses: readonly string[]])[] = [
  ['runs', ['running']],
  ['paused', ['paused']],
  ['ended', ['exited']],
  ['again', ['running']],
  ['temporary', ['gone']],
  ['half', ['created', 'exited']],
  ['new', ['created']],
];

/** Learns which checkpoints an engine passes that opens on a root with something of everything. */
export async function checkpointsOfOpen(world: CrashWorld): Promise<readonly string[]> {
  await leaveEverything(world);
  const names = await world.traced(() => world.switchToTracing());
  const wrong = [...(await check(world)), ...(await sweep(world))];
  await world.kill();
  if (wrong.length > 0) throw new Error(`without a crash: ${wrong.join('; ')}`);
  return names;
}

/** Lets an engine that opens on such a root die at each of the points, and looks at what the one after it makes of that. */
export async function crashOpenAt(world: CrashWorld, points: readonly CrashPoint[]): Promise<readonly CrashFinding[]> {
  const findings: CrashFinding[] = [];
  for (const point of points) {
    await leaveEverything(world);
    const crashed = await world.startArmed(ruleOf(point));
    if (!crashed) await world.kill();
    await world.start();
    const wrong = [...(await check(world)), ...(await sweep(world))];
    if (wrong.length > 0)
      findings.push({ point: `${point.when} ${point.index}${crashed ? '' : ' (not reached)'}`, wrong });
    await world.kill();
  }
  return findings;
}

/** A root whose engine was killed in the middle of a start, and whose containers have not waited for the next one. */
async function leaveEverything(world: CrashWorld): Promise<void> {
  await world.kill();
  await world.start(IN_A_START);
  world.forgetEvents();
  await create(world, {}, 'new');
  await create(world, {}, 'half');
  const policies = { again: { RestartPolicy: { Name: 'always' } }, temporary: { AutoRemove: true } };
  for (const name of ['runs', 'paused', 'ended', 'again', 'temporary']) {
    const hostConfig = name in policies ? policies[name as keyof typeof policies] : {};
    await create(world, { hostConfig }, name);
    await world.need(`POST /containers/${name}/start`);
  }
  await world.need('POST /containers/paused/pause');
  const pids = new Map((await world.containers()).map(({ Name, State }) => [Name, State.Pid]));
  world.arm();
  await world.need('POST /containers/half/start').catch(() => {});
  if (!(await world.hasCrashed())) throw new Error('the start went through');
  for (const name of ['ended', 'again', 'temporary']) await end(pids.get(`/${name}`) ?? 0);
}

/** Its monitor writes the exit down. */
async function end(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL');
  while (existsSync(`/proc/${pid}`)) await sleep(5);
}

async function check(world: CrashWorld): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const [name, statuses] of ENDS) wrong.push(...(await expectStatus(world, statuses, name)));
  return [...wrong, ...(await world.differences())];
}
