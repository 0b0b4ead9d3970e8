import { atLeast, type Command } from '../../command.ts';
import { text } from '../../flags/flag-types.ts';
import { forEach } from '../each.ts';

/** `fairlead kill` */
export const killCommand: Command = {
  name: 'kill',
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Kill one or more running containers',
  args: atLeast(1),
  define(flags) {
    const signal = flags.add('signal,s', 'Signal to send to the container', text());
    return async (context, refs) => {
      const containers = await context.verbs();
      return await forEach(context, refs, async (ref) => {
        await containers.kill(ref, { stopSignal: signal.value === '' ? undefined : signal.value });
        return ref;
      });
    };
  },
};
