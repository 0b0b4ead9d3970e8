import { writeAll } from '@fairlead/client';
import { type Command, exactly } from '../../command.ts';
import { text, toggle } from '../../flags/flag-types.ts';
import { parseMoment } from '../../flags/timestamp.ts';

/** `fairlead logs` */
export const logsCommand: Command = {
  name: 'logs',
  usage: '[OPTIONS] CONTAINER',
  summary: 'Fetch the logs of a container',
  args: exactly(1),
  define(flags) {
    const details = flags.add('details', 'Show extra details provided to logs', toggle());
    const follow = flags.add('follow,f', 'Follow log output', toggle());
    const since = flags.add(
      'since',
      'Show logs since a timestamp ("2013-01-02T13:23:37Z") or relative ("42m")',
      text(),
    );
    const tail = flags.add('tail,n', 'Number of lines to show from the end of the logs (default "all")', text('all'));
    const timestamps = flags.add('timestamps,t', 'Show timestamps', toggle());
    const until = flags.add(
      'until',
      'Show logs before a timestamp ("2013-01-02T13:23:37Z") or relative ("42m")',
      text(),
    );
    return async (context, [ref = '']) => {
      const client = await context.client();
      const now = new Date();
      const chunks = client.containers.logChunks(ref, {
        ...(details.value ? { details: true } : {}),
        ...(follow.value ? { follow: true } : {}),
        ...(timestamps.value ? { timestamps: true } : {}),
        ...(since.value === '' ? {} : { since: parseMoment(since.value, now) }),
        ...(until.value === '' ? {} : { until: parseMoment(until.value, now) }),
        // What is no count means everything, as in Docker.
        ...(/^\d+$/.test(tail.value) ? { tail: Number(tail.value) } : {}),
      });
      const { stdout, stderr } = context.terminal;
      for await (const { stream, bytes } of chunks) await writeAll(stream === 'stderr' ? stderr : stdout, bytes);
      return 0;
    };
  },
};
