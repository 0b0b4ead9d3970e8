import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import type { CrashWorld } from './crash-world.ts';
import { create, type CrashVerb } from './verbs.ts';

const PUBLISHED = { PortBindings: { '80/tcp': [{ HostPort: '' }, { HostIp: '127.0.0.1', HostPort: '' }] } };

/** What happens to published ports. */
export const PORT_VERBS: readonly CrashVerb[] = [
  {
    name: 'start with published ports',
    prepare: async (world) => void (await create(world, { hostConfig: PUBLISHED })),
    run: async (world) => void (await world.need('POST /containers/web/start')),
    check: async (world) => await expectPorts(world),
  },
  {
    name: 'kill with published ports',
    prepare: async (world) => {
      await create(world, { hostConfig: PUBLISHED });
      await world.need('POST /containers/web/start');
    },
    run: async (world) => void (await world.need('POST /containers/web/kill')),
    check: async (world) => await expectPorts(world),
  },
];

/** The host's rules have the ports that a running container shows, and no others. */
async function expectPorts(world: CrashWorld): Promise<readonly string[]> {
  const shown: string[] = [];
  for (const { Id } of await world.containers()) {
    const { NetworkSettings } = JSON.parse(await world.need(`GET /containers/${Id}/json`)) as ShownPorts;
    for (const bindings of Object.values(NetworkSettings.Ports)) {
      for (const { HostPort } of bindings ?? []) shown.push(`${HostPort} : ${NetworkSettings.IPAddress} . 80`);
    }
  }
  const rules = rulesOf(world);
  const missing = shown.filter((port) => !rules.includes(` ${port}`));
  const ruled = (rules.match(/ : [\d.]+ \. 80\b/g) ?? []).length;
  return [
    ...missing.map((port) => `port ${port} is shown and leads nowhere`),
    ...(ruled === shown.length ? [] : [`${ruled} ports lead somewhere and ${shown.length} are shown`]),
  ];
}

interface ShownPorts {
  readonly NetworkSettings: {
    readonly IPAddress: string;
    readonly Ports: Readonly<Record<string, readonly { readonly HostPort: string }[] | null>>;
  };
}

/** As drivers/net names the table: by the engine's root. Empty when there is none. */
function rulesOf({ home }: CrashWorld): string {
  const table = `fairlead_${createHash('sha256').update(home.root).digest('hex').slice(0, 8)}`;
  try {
    return execFileSync('nft', ['list', 'table', 'ip', table], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    // No container has run since the engine put its bridge away.
    return '';
  }
}
