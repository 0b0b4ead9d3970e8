import { RequestFailedError } from '@fairlead/client';
import { atLeast, type Command } from '../../command.ts';
import { toggle } from '../../flags/flag-types.ts';
import { forEach } from '../each.ts';

/** `fairlead network rm` */
export const networkRmCommand: Command = {
  name: 'network rm',
  usage: 'NETWORK [NETWORK...]',
  summary: 'Remove one or more networks',
  args: atLeast(1),
  define(flags) {
    const force = flags.add('force,f', 'Do not error if the network does not exist', toggle());
    return async (context, refs) => {
      const client = await context.client();
      return await forEach(context, refs, async (ref) => {
        try {
          await client.networks.remove(ref);
        } catch (error) {
          if (!force.value || !(error instanceof RequestFailedError) || error.kind !== 'not-found') throw error;
        }
        return ref;
      });
    };
  },
};
