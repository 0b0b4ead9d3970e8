import type { CliContext } from '../../context.ts';
import { atLeast, type Command } from '../../command.ts';
import { graceMsOf, parseDurationMs } from '../../flags/duration.ts';
import { integer, parsed, text } from '../../flags/flag-types.ts';
import { forEach } from '../each.ts';

/** `fairlead stop` */
export const stopCommand: Command = {
  name: 'stop',
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Stop one or more running containers',
  args: atLeast(1),
  define(flags) {
    const signal = flags.add('signal,s', 'Signal to send to the container', text());
    const timeout = flags.add('timeout,t', 'Seconds to wait before killing the container', integer());
    const time = flags.add('time', 'Same as --timeout', integer());
    const within = flags.add(
      'within',
      'End the whole stop within this time; the grace is derived from it',
      parsed('duration', parseDurationMs),
    );
    const patience = flags.add(
      'patience',
      'Listen for this long; the stop goes on without us',
      parsed('duration', parseDurationMs),
    );
    return async (context, refs) => {
      const containers = await context.verbs();
      const options = {
        stopSignal: signal.value === '' ? undefined : signal.value,
        graceMs: graceMsOf(timeout.value ?? time.value),
        withinMs: within.value,
        patienceMs: patience.value,
      };
      return await forEach(context, refs, async (ref) => {
        const { late } = await containers.stop(ref, options);
        if (late) await sayLate(context, ref);
        return ref;
      });
    };
  },
};

async function sayLate(context: CliContext, ref: string): Promise<void> {
  await context.err(`The engine never answered, but "${ref}" has stopped: its state was looked at instead.`);
}
