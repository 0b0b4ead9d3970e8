import type { Client } from '@fairlead/client';
import { type Filters, humanSize, type ImageDeleted } from '@fairlead/protocol';
import { type Command, noArguments } from '../command.ts';
import type { CliContext } from '../context.ts';
import type { FlagSet } from '../flags/flag-set.ts';
import { parseFilterFlags } from '../flags/filters.ts';
import { list, toggle } from '../flags/flag-types.ts';
import { confirm } from './confirm.ts';

/** What a prune has taken away. */
export interface Pruned {
  /** `Deleted Containers:` and a line for each; empty when there was none. */
  readonly text: string;
  readonly reclaimedBytes: number;
}

/** How one kind of thing is pruned. */
interface Kind {
  readonly name: string;
  readonly summary: string;
  /** Declares further flags, and gives back what to warn of and what to do. */
  define(flags: FlagSet): {
    readonly warning: () => string;
    readonly prune: (client: Client, filters: Filters) => Promise<Pruned>;
  };
  /** Networks take no space. */
  readonly hasSize: boolean;
}

/** `fairlead container prune` */
export const containerPruneCommand: Command = pruneCommand({
  name: 'container prune',
  summary: 'Remove all stopped containers',
  hasSize: true,
  define: () => ({ warning: () => 'WARNING! This will remove all stopped containers.', prune: pruneContainers }),
});

/** `fairlead image prune` */
export const imagePruneCommand: Command = pruneCommand({
  name: 'image prune',
  summary: 'Remove unused images',
  hasSize: true,
  define(flags) {
    const all = flags.add('all,a', 'Remove all unused images, not just dangling ones', toggle());
    return {
      warning: () =>
        all.value
          ? 'WARNING! This will remove all images without at least one container associated to them.'
          : 'WARNING! This will remove all dangling images.',
      prune: (client, filters) => pruneImages(client, { filters, all: all.value }),
    };
  },
});

/** `fairlead volume prune` */
export const volumePruneCommand: Command = pruneCommand({
  name: 'volume prune',
  summary: 'Remove unused local volumes',
  hasSize: true,
  define(flags) {
    const all = flags.add('all,a', 'Remove all unused volumes, not just anonymous ones', toggle());
    return {
      warning: () =>
        all.value
          ? 'WARNING! This will remove all local volumes not used by at least one container.'
          : 'WARNING! This will remove anonymous local volumes not used by at least one container.',
      prune: (client, filters) => pruneVolumes(client, { filters, all: all.value }),
    };
  },
});

/** `fairlead network prune` */
export const networkPruneCommand: Command = pruneCommand({
  name: 'network prune',
  summary: 'Remove all unused networks',
  hasSize: false,
  define: () => ({
    warning: () => 'WARNING! This will remove all custom networks not used by at least one container.',
    prune: pruneNetworks,
  }),
});

/** Removes containers that do not run. */
export async function pruneContainers(client: Client, filters: Filters): Promise<Pruned> {
  const { ContainersDeleted, SpaceReclaimed } = await client.containers.prune({ filters });
  return { text: listed('Deleted Containers:', ContainersDeleted ?? []), reclaimedBytes: SpaceReclaimed };
}

/** Removes images that nobody uses: those without a name, or all. */
export async function pruneImages(
  client: Client,
  { filters, all }: { readonly filters: Filters; readonly all: boolean },
): Promise<Pruned> {
  const { ImagesDeleted, SpaceReclaimed } = await client.images.prune({
    filters: new Map([...filters, ['dangling', [String(!all)]]]),
  });
  return { text: listed('Deleted Images:', (ImagesDeleted ?? []).map(deletedText)), reclaimedBytes: SpaceReclaimed };
}

/** Removes volumes that nobody uses: those without a name, or all. */
export async function pruneVolumes(
  client: Client,
  { filters, all }: { readonly filters: Filters; readonly all: boolean },
): Promise<Pruned> {
  const asked = all ? new Map([...filters, ['all', ['true']] as const]) : filters;
  const { VolumesDeleted, SpaceReclaimed } = await client.volumes.prune({ filters: asked });
  return { text: listed('Deleted Volumes:', VolumesDeleted ?? []), reclaimedBytes: SpaceReclaimed };
}

/** Removes networks that nobody is in. */
export async function pruneNetworks(client: Client, filters: Filters): Promise<Pruned> {
  const { NetworksDeleted } = await client.networks.prune({ filters });
  return { text: listed('Deleted Networks:', NetworksDeleted ?? []), reclaimedBytes: 0 };
}

/** `untagged: busybox:latest` */
function deletedText(image: ImageDeleted): string {
  return 'Deleted' in image ? `deleted: ${image.Deleted}` : `untagged: ${image.Untagged}`;
}

function listed(heading: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `${heading}\n${lines.join('\n')}\n\n`;
}

function pruneCommand(kind: Kind): Command {
  return {
    name: kind.name,
    usage: '[OPTIONS]',
    summary: kind.summary,
    args: noArguments,
    define(flags) {
      const filter = flags.add('filter', 'Provide filter values (e.g. "until=<timestamp>")', list('filter'));
      const force = flags.add('force,f', 'Do not prompt for confirmation', toggle());
      const { warning, prune } = kind.define(flags);
      return async (context: CliContext) => {
        const filters = parseFilterFlags(filter.value);
        const client = await context.client();
        if (!force.value && !(await confirm(context, warning()))) return 0;
        const { text, reclaimedBytes } = await prune(client, filters);
        await context.out(text);
        if (kind.hasSize) await context.out(`Total reclaimed space: ${humanSize(reclaimedBytes, 4)}\n`);
        return 0;
      };
    },
  };
}
