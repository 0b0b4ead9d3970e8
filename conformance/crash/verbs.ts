import { setTimeout as sleep } from 'node:timers/promises';
import { busyboxImage, dockerArchive, layerTar } from '@fairlead/testkit';
import { RawConnection } from '../raw-http.ts';
import type { ShownContainer } from './agreement.ts';
import type { CrashWorld } from './crash-world.ts';

/** Something a client asks for, in the middle of which the engine dies. */
export interface CrashVerb {
  readonly name: string;
  /** Brings the scene up, on an engine that still works. */
  prepare(world: CrashWorld): Promise<void>;
  /** Asks, and waits until the work behind the answer is done, too. Rejects when the engine dies. */
  run(world: CrashWorld): Promise<void>;
  /** What must hold after the next start, besides that engine and kernel agree; a sentence for each thing that does not. */
  check(world: CrashWorld): Promise<readonly string[]>;
}

const NAME = 'web';
const SLEEPS: readonly string[] = ['sleep', '1000'];
/** Says `ready`, and ends with 7 on SIGTERM. */
const ENDS_ON_TERM: readonly string[] = ['sh', '-c', 'trap "exit 7" TERM; echo ready; sleep 1000 & wait'];
const PATIENCE_MS = 6_000;

interface Wanted {
  readonly command?: readonly string[];
  readonly hostConfig?: Readonly<Record<string, unknown>>;
}

export const CRASH_VERBS: readonly CrashVerb[] = [
  {
    name: 'create',
    prepare: async () => {},
    run: async (world) => void (await create(world)),
    check: async (world) => await expectStatus(world, ['gone', 'created']),
  },
  {
    name: 'start',
    prepare: async (world) => void (await create(world)),
    run: async (world) => void (await world.need(`POST /containers/${NAME}/start`)),
    check: async (world) => await expectStatus(world, ['created', 'running']),
  },
  {
    name: 'start of one that ran before',
    prepare: async (world) => {
      await running(world);
      await world.need(`POST /containers/${NAME}/stop?t=0`);
    },
    run: async (world) => void (await world.need(`POST /containers/${NAME}/start`)),
    check: async (world) => await expectStatus(world, ['exited', 'running']),
  },
  {
    name: 'start with AutoRemove',
    prepare: async (world) => void (await create(world, { hostConfig: { AutoRemove: true } })),
    run: async (world) => void (await world.need(`POST /containers/${NAME}/start`)),
    check: async (world) => await expectStatus(world, ['created', 'gone', 'running']),
  },
  {
    name: 'stop',
    prepare: async (world) => await running(world, { command: ENDS_ON_TERM }),
    run: async (world) => void (await world.need(`POST /containers/${NAME}/stop?t=3`)),
    check: async (world) => await expectSignalled(world, 7),
  },
  {
    name: 'stop that ends in SIGKILL',
    prepare: async (world) => await running(world),
    run: async (world) => void (await world.need(`POST /containers/${NAME}/stop?t=0`)),
    check: async (world) => await expectSignalled(world, 137),
  },
  {
    name: 'kill',
    prepare: async (world) => await running(world),
    run: async (world) => void (await world.need(`POST /containers/${NAME}/kill`)),
    check: async (world) => await expectSignalled(world, 137),
  },
  {
    name: 'restart',
    prepare: async (world) => await running(world),
    run: async (world) => void (await world.need(`POST /containers/${NAME}/restart?t=0`)),
    check: async (world) => await expectStatus(world, ['exited', 'running']),
  },
  {
    name: 'pause',
    prepare: async (world) => await running(world),
    run: async (world) => void (await world.need(`POST /containers/${NAME}/pause`)),
    check: async (world) => await expectStatus(world, ['running', 'paused']),
  },
  {
    name: 'unpause',
    prepare: async (world) => {
      await running(world);
      await world.need(`POST /containers/${NAME}/pause`);
    },
    run: async (world) => void (await world.need(`POST /containers/${NAME}/unpause`)),
    check: async (world) => await expectStatus(world, ['running', 'paused']),
  },
  {
    name: 'exec',
    prepare: async (world) => await running(world),
    run: async (world) => await execToItsEnd(world, { Tty: false }),
    check: async (world) => await expectStatus(world, ['running']),
  },
  {
    name: 'exec with a terminal',
    prepare: async (world) => await running(world),
    run: async (world) => await execToItsEnd(world, { Tty: true }),
    check: async (world) => await expectStatus(world, ['running']),
  },
  {
    name: 'rename',
    prepare: async (world) => void (await create(world)),
    run: async (world) => void (await world.need(`POST /containers/${NAME}/rename?name=shop`)),
    check: async (world) => {
      const names = (await world.containers()).map(({ Name }) => Name);
      return names.join() === '/web' || names.join() === '/shop' ? [] : [`containers are called ${names.join(' ')}`];
    },
  },
  {
    name: 'remove',
    prepare: async (world) => {
      await running(world);
      await world.need(`POST /containers/${NAME}/stop?t=0`);
    },
    run: async (world) => void (await world.need(`DELETE /containers/${NAME}`)),
    check: async (world) => await expectStatus(world, ['exited', 'gone']),
  },
  {
    name: 'remove of a running one',
    prepare: async (world) => await running(world),
    run: async (world) => void (await world.need(`DELETE /containers/${NAME}?force=1`)),
    check: async (world) => await expectSignalled(world, 137),
  },
  {
    name: 'exit with AutoRemove',
    prepare: async (world) => await running(world, { command: ENDS_ON_TERM, hostConfig: { AutoRemove: true } }),
    run: async (world) => {
      // From within, so that the engine learns of the exit and of nothing else.
      const [pid] = world.kernel().cgroups.values().next().value ?? [];
      if (pid === undefined) throw new Error('the container has no process');
      process.kill(pid, 'SIGTERM');
      while ((await world.ask(`GET /containers/${NAME}/json`)).status !== 404) await sleep(50);
    },
    check: async (world) => await expectStatus(world, ['gone']),
  },
  {
    name: 'automatic restart',
    prepare: async (world) =>
      await running(world, { command: ENDS_ON_TERM, hostConfig: { RestartPolicy: { Name: 'always' } } }),
    run: async (world) => {
      const { body } = await world.ask(`GET /containers/${NAME}/json`);
      const { Pid } = (JSON.parse(body) as ShownContainer).State;
      process.kill(Pid, 'SIGKILL');
      for (;;) {
        const again = (await only(world))?.State;
        if (again?.Status === 'running' && again.Pid !== Pid) return;
        await sleep(20);
      }
    },
    check: async (world) => await expectStatus(world, ['running']),
  },
  {
    name: 'archive into one that does not run',
    prepare: async (world) => void (await create(world)),
    run: async (world) => {
      const body = await layerTar([{ name: 'put', content: 'put' }]);
      await world.need(`PUT /containers/${NAME}/archive?path=/tmp`, {
        body,
        headers: { 'Content-Type': 'application/x-tar' },
      });
    },
    check: async (world) => await expectStatus(world, ['created']),
  },
  {
    name: 'commit',
    prepare: async (world) => {
      await running(world, { command: ['sh', '-c', 'echo changed > /extra; echo ready; exec sleep 1000'] });
      await ready(world);
    },
    run: async (world) => void (await world.need(`POST /commit?container=${NAME}&repo=extra`)),
    check: async (world) => [...(await expectStatus(world, ['running'])), ...(await expectImage(world))],
  },
  {
    name: 'load',
    prepare: async () => {},
    run: async (world) => void (await world.need('POST /images/load', { body: await newArchive() })),
    check: async (world) => await expectImage(world),
  },
  {
    name: 'remove of an image',
    prepare: async (world) => void (await world.need('POST /images/load', { body: await newArchive() })),
    run: async (world) => void (await world.need('DELETE /images/extra:latest')),
    check: async (world) => await expectImage(world),
  },
];

/** @returns the container's id. */
export async function create(world: CrashWorld, wanted: Wanted = {}, name: string = NAME): Promise<string> {
  const body = await world.need(`POST /containers/create?name=${name}`, {
    json: {
      Image: 'busybox',
      Cmd: wanted.command ?? SLEEPS,
      HostConfig: { CgroupParent: world.cgroupParent, ...wanted.hostConfig },
    },
  });
  return (JSON.parse(body) as { readonly Id: string }).Id;
}

async function running(world: CrashWorld, wanted: Wanted = {}): Promise<void> {
  await create(world, wanted);
  await world.need(`POST /containers/${NAME}/start`);
  if (wanted.command === ENDS_ON_TERM) await ready(world);
}

async function ready(world: CrashWorld): Promise<void> {
  while (!(await world.need(`GET /containers/${NAME}/logs?stdout=1`)).includes('ready')) await sleep(5);
}

async function execToItsEnd(world: CrashWorld, { Tty }: { readonly Tty: boolean }): Promise<void> {
  const made = await world.need(`POST /containers/${NAME}/exec`, {
    json: { Cmd: ['sh', '-c', 'echo in; exit 3'], AttachStdout: true, AttachStderr: true, Tty },
  });
  const { Id } = JSON.parse(made) as { readonly Id: string };
  using connection = await RawConnection.open(world.home.socketPath);
  await connection.upgrade(`POST /exec/${Id}/start`, { Detach: false, Tty });
  await connection.head();
  for await (const _bytes of connection.rest());
  await world.need(`GET /exec/${Id}/json`);
}

/** An image of its own, on the layer that is there and one that is not. */
async function newArchive(): Promise<Uint8Array> {
  const base = await busyboxImage(['extra:latest']);
  const layer = await layerTar([{ name: 'extra', content: Buffer.alloc(300_000, 'extra') }]);
  return await dockerArchive([{ ...base, layers: [...base.layers, layer] }]);
}

function statusOf(container: ShownContainer | undefined): string {
  return container?.State.Status ?? 'gone';
}

async function only(world: CrashWorld, name: string = NAME): Promise<ShownContainer | undefined> {
  const containers = await world.containers();
  return containers.find(({ Name }) => Name === `/${name}`);
}

/** In one of the statuses, within {@link PATIENCE_MS}: what a restarted engine still owes, it does behind its first answer. */
export async function expectStatus(
  world: CrashWorld,
  accepted: readonly string[],
  name: string = NAME,
): Promise<readonly string[]> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    const status = statusOf(await only(world, name));
    if (accepted.includes(status)) return [];
    if (performance.now() > until) return [`${name} is ${status} and should be ${accepted.join(' or ')}`];
    await sleep(25);
  }
}

/** A signal that was announced has its effect; one that was not leaves the container running. */
async function expectSignalled(world: CrashWorld, exitCode: number): Promise<readonly string[]> {
  const isTold = (await world.events()).some(({ Action }) => Action === 'kill');
  const [latest] = (await world.events()).filter(({ Action }) => ['kill', 'start'].includes(Action)).slice(-1);
  if (!isTold || latest?.Action !== 'kill') return await expectStatus(world, ['running']);
  const wrong = await expectStatus(world, ['exited', 'gone']);
  const container = await only(world);
  const code = container?.State.ExitCode ?? exitCode;
  return code === exitCode ? wrong : [...wrong, `its exit code is ${code} and should be ${exitCode}`];
}

/** The image is there, whole and of use, or it is not there at all. */
async function expectImage(world: CrashWorld): Promise<readonly string[]> {
  const { status } = await world.ask('GET /images/extra:latest/json');
  if (status === 404) return [];
  const made = await world.ask('POST /containers/create?name=of-extra', {
    json: { Image: 'extra', Cmd: ['cat', '/extra'], HostConfig: { CgroupParent: world.cgroupParent } },
  });
  if (made.status !== 201) return [`of the loaded image no container can be made: ${made.body}`];
  const wrong: string[] = [];
  for (const request of [
    'POST /containers/of-extra/start',
    'POST /containers/of-extra/wait',
    'DELETE /containers/of-extra',
  ]) {
    const { status: answer, body } = await world.ask(request);
    if (answer >= 400) wrong.push(`${request}: ${answer} ${body}`);
    if (request.endsWith('wait') && !body.includes('"StatusCode":0'))
      wrong.push(`the container of the loaded image: ${body}`);
  }
  return wrong;
}
