import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CrashWorld } from './crash-world.ts';
import { create, type CrashVerb } from './verbs.ts';

const PATIENCE_MS = 4_000;
const POLL_MS = 25;

interface ShownVolume {
  readonly Name: string;
  readonly Mountpoint: string;
}

/** A named volume over a directory of the image with something in it, an anonymous one, and one that mounts something. */
const WITH_VOLUMES = {
  Binds: ['data:/etc', '/anonymous', 'mounts:/mounted'],
};

/** What happens to volumes. */
export const VOLUME_VERBS: readonly CrashVerb[] = [
  {
    name: 'create with volumes',
    prepare: async (world) => await mountingVolume(world),
    run: async (world) => void (await create(world, { hostConfig: WITH_VOLUMES })),
    check: async (world) => await expectVolumes(world),
  },
  {
    name: 'start with volumes',
    prepare: async (world) => {
      await mountingVolume(world);
      await create(world, { hostConfig: WITH_VOLUMES });
    },
    run: async (world) => void (await world.need('POST /containers/web/start')),
    check: async (world) => await expectVolumes(world),
  },
  {
    name: 'kill with volumes',
    prepare: async (world) => {
      await mountingVolume(world);
      await create(world, { hostConfig: WITH_VOLUMES });
      await world.need('POST /containers/web/start');
    },
    run: async (world) => void (await world.need('POST /containers/web/kill')),
    check: async (world) => await expectVolumes(world),
  },
  {
    name: 'remove with volumes',
    prepare: async (world) => {
      await mountingVolume(world);
      await create(world, { hostConfig: WITH_VOLUMES });
    },
    run: async (world) => void (await world.need('DELETE /containers/web?v=1')),
    check: async (world) => await expectVolumes(world),
  },
  {
    name: 'create of a volume',
    prepare: async (world) => await clearVolumes(world),
    run: async (world) => void (await world.need('POST /volumes/create', { json: { Name: 'data' } })),
    check: async (world) => await expectVolumes(world),
  },
  {
    name: 'remove of a volume',
    prepare: async (world) => {
      await clearVolumes(world);
      const { Mountpoint } = JSON.parse(
        await world.need('POST /volumes/create', { json: { Name: 'data' } }),
      ) as ShownVolume;
      for (const name of ['passwd', 'group']) writeFileSync(join(Mountpoint, name), '');
    },
    run: async (world) => void (await world.need('DELETE /volumes/data')),
    check: async (world) => await expectVolumes(world),
  },
];

/** No volumes but one that mounts something. */
async function mountingVolume(world: CrashWorld): Promise<void> {
  await clearVolumes(world);
  const DriverOpts = { type: 'tmpfs', device: 'tmpfs', o: 'size=64k' };
  await world.need('POST /volumes/create', { json: { Name: 'mounts', DriverOpts } });
}

async function clearVolumes(world: CrashWorld): Promise<void> {
  const { Volumes } = JSON.parse(await world.need('GET /volumes')) as { readonly Volumes: readonly ShownVolume[] };
  for (const { Name } of Volumes) await world.need(`DELETE /volumes/${Name}`);
}

/** What a restarted engine still owes, a removal above all, it does behind its first answer. */
async function expectVolumes(world: CrashWorld): Promise<readonly string[]> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    const wrong = await wrongVolumes(world);
    if (wrong.length === 0 || performance.now() > until) return wrong;
    await sleep(POLL_MS);
  }
}

/** Records, directories and mounts agree; a volume was filled whole or not at all; anonymous ones are a container's. */
async function wrongVolumes(world: CrashWorld): Promise<readonly string[]> {
  const { Volumes } = JSON.parse(await world.need('GET /volumes')) as { readonly Volumes: readonly ShownVolume[] };
  const containers = await world.containers();
  const isUp = containers.some(({ State }) => State.Running);
  const directory = join(world.home.root, 'volumes');
  const listed = new Set(Volumes.map(({ Name }) => Name));
  const anonymous = Volumes.filter(({ Name }) => Name.length === 64).length;
  const data = Volumes.find(({ Name }) => Name === 'data');
  const held = data === undefined ? [] : readdirSync(data.Mountpoint);
  const mounted = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .filter((line) => line.includes(`${directory}/`)).length;
  const wrong = [
    ...Volumes.filter(({ Mountpoint }) => !existsSync(Mountpoint)).map(({ Name }) => `volume ${Name} has no directory`),
    ...readdirSync(directory)
      .filter((name) => !listed.has(name))
      .map((name) => `directory ${name} is no volume's`),
    ...(held.length > 0 && !(held.includes('passwd') && held.includes('group'))
      ? [`a part is in it: ${held.join(' ')}`]
      : []),
    ...(anonymous === (listed.has('mounts') ? containers.length : 0)
      ? []
      : [`${anonymous} anonymous volumes of ${containers.length} containers`]),
    ...(mounted === (isUp ? 1 : 0) ? [] : [`${mounted} mounts of volumes while ${isUp ? 'one is' : 'none is'} needed`]),
  ];
  return wrong;
}
