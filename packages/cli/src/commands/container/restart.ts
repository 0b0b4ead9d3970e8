import { atLeast, type Command } from '../../command.ts';
import { graceMsOf } from '../../flags/duration.ts';
import { integer, text } from '../../flags/flag-types.ts';
import { forEach } from '../each.ts';

/** `fairlead restart` */
export const restartCommand: Command = {
  name: 'restart',
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Restart one or more containers',
  args: atLeast(1),
  define(flags) {
    const signal = flags.add('signal,s', 'Signal to send to the container', text());
    const timeout = flags.add('timeout,t', 'Seconds to wait before killing the container', integer());
    const time = flags.add('time', 'Same as --timeout', integer());
    return async (context, refs) => {
      const containers = await context.verbs();
      const options = {
        stopSignal: signal.value === '' ? undefined : signal.value,
        graceMs: graceMsOf(timeout.value ?? time.value),
      };
      return await forEach(context, refs, async (ref) => {
        await containers.restart(ref, options);
        return ref;
      });
    };
  },
};
