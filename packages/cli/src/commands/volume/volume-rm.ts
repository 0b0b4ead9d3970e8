import { atLeast, type Command } from '../../command.ts';
import { toggle } from '../../flags/flag-types.ts';
import { forEach } from '../each.ts';

/** `fairlead volume rm` */
export const volumeRmCommand: Command = {
  name: 'volume rm',
  usage: '[OPTIONS] VOLUME [VOLUME...]',
  summary: 'Remove one or more volumes',
  args: atLeast(1),
  define(flags) {
    const force = flags.add('force,f', 'Force the removal of one or more volumes', toggle());
    return async (context, names) => {
      const client = await context.client();
      return await forEach(context, names, async (name) => {
        await client.volumes.remove(name, { force: force.value });
        return name;
      });
    };
  },
};
