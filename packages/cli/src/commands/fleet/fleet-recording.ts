import { atLeast, type Command } from '../../command.ts';
import { EXIT_USAGE, ExitError } from '../../exit-codes.ts';
import { formatTable } from '../../format/table.ts';
import { hubFlags } from './hub-connection.ts';

/** `fairlead fleet recording` */
export const fleetRecordingCommand: Command = {
  name: 'fleet recording',
  usage: '[OPTIONS] ls HOST | cat HOST SESSION',
  summary: 'List what a host has recorded of its sessions, or get one, to be played with asciinema',
  args: atLeast(2),
  define(flags) {
    const open = hubFlags(flags);
    return async (context, [verb, host = '', session]) => {
      await using fleet = await open(context);
      if (verb === 'ls') {
        const rows = (await fleet.recordings(host)).map((one) => [
          ...[one.sessionId, one.startedAt, `${one.bytes}${one.isOpen ? '+' : ''}`, one.title, one.command],
        ]);
        await context.out(formatTable([['SESSION', 'STARTED', 'BYTES', 'WHOSE', 'COMMAND'], ...rows]));
        return 0;
      }
      if (verb !== 'cat' || session === undefined)
        throw new ExitError(EXIT_USAGE, 'fleet recording: ls HOST, or cat HOST SESSION');
      for await (const bytes of fleet.recording(host, session)) await context.out(bytes);
      return 0;
    };
  },
};
