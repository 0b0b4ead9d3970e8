import { atLeast, type Command } from '../../command.ts';
import { toggle } from '../../flags/flag-types.ts';
import { forEach } from '../each.ts';

/** `fairlead rmi` */
export const rmiCommand: Command = {
  name: 'rmi',
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  summary: 'Remove one or more images',
  args: atLeast(1),
  define(flags) {
    const force = flags.add('force,f', 'Force removal of the image', toggle());
    const noPrune = flags.add('no-prune', 'Do not delete untagged parents', toggle());
    return async (context, refs) => {
      const client = await context.client();
      return await forEach(context, refs, async (ref) => {
        const options = { ...(force.value ? { force: true } : {}), ...(noPrune.value ? { noprune: true } : {}) };
        const removed = await client.images.remove(ref, options);
        return removed
          .map((item) => ('Deleted' in item ? `Deleted: ${item.Deleted}` : `Untagged: ${item.Untagged}`))
          .join('\n');
      });
    };
  },
};
