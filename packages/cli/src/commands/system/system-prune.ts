import { humanSize } from '@fairlead/protocol';
import { type Command, noArguments } from '../../command.ts';
import { parseFilterFlags } from '../../flags/filters.ts';
import { list, toggle } from '../../flags/flag-types.ts';
import { confirm } from '../confirm.ts';
import { pruneContainers, type Pruned, pruneImages, pruneNetworks, pruneVolumes } from '../prune.ts';

/** `fairlead system prune` */
export const systemPruneCommand: Command = {
  name: 'system prune',
  usage: '[OPTIONS]',
  summary: 'Remove unused data',
  args: noArguments,
  define(flags) {
    const all = flags.add('all,a', 'Remove all unused images not just dangling ones', toggle());
    const filter = flags.add('filter', 'Provide filter values (e.g. "label=<key>=<value>")', list('filter'));
    const force = flags.add('force,f', 'Do not prompt for confirmation', toggle());
    const volumes = flags.add('volumes', 'Prune anonymous volumes', toggle());
    return async (context) => {
      const filters = parseFilterFlags(filter.value);
      const client = await context.client();
      if (!force.value && !(await confirm(context, warning({ all: all.value, volumes: volumes.value })))) return 0;
      const steps: readonly (() => Promise<Pruned>)[] = [
        () => pruneContainers(client, filters),
        () => pruneNetworks(client, filters),
        ...(volumes.value ? [() => pruneVolumes(client, { filters, all: false })] : []),
        () => pruneImages(client, { filters, all: all.value }),
        async () => {
          const { CachesDeleted, SpaceReclaimed } = await client.system.pruneBuildCache();
          const deleted = CachesDeleted ?? [];
          const text = deleted.length === 0 ? '' : `Deleted build cache objects:\n${deleted.join('\n')}\n\n`;
          return { text, reclaimedBytes: SpaceReclaimed };
        },
      ];
      let reclaimedBytes = 0;
      for (const step of steps) {
        const pruned = await step();
        reclaimedBytes += pruned.reclaimedBytes;
        await context.out(pruned.text);
      }
      await context.out(`Total reclaimed space: ${humanSize(reclaimedBytes, 4)}\n`);
      return 0;
    };
  },
};

/** Source: docker/cli system/prune.go. */
function warning(taken: { readonly all: boolean; readonly volumes: boolean }): string {
  const lines = [
    'all stopped containers',
    'all networks not used by at least one container',
    ...(taken.volumes ? ['all anonymous volumes not used by at least one container'] : []),
    taken.all ? 'all images without at least one container associated to them' : 'all dangling images',
    taken.all ? 'all build cache' : 'unused build cache',
  ];
  return `WARNING! This will remove:\n${lines.map((line) => `  - ${line}\n`).join('')}`;
}
