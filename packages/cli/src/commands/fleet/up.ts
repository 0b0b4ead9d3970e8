import { HUB_SOCKET } from '@fairlead/protocol/fleet';
import type { Command } from '../../command.ts';
import { noArguments } from '../../command.ts';
import { EXIT_USAGE, ExitError } from '../../exit-codes.ts';
import { text } from '../../flags/flag-types.ts';
import { aborted } from './hub.ts';
import { listenFlags } from './listen-flags.ts';

/** Where hub and agent of this machine keep what they know. */
const STATE_DIR = '/var/lib/fairlead/fleet';

/** `fairlead up`: a whole fleet of one host, to which others are added. */
export const upCommand: Command = {
  name: 'up',
  usage: '[OPTIONS]',
  summary: 'Run engine, NATS, hub and agent on this machine until SIGTERM; says how another host is added',
  args: noArguments,
  define(flags) {
    const stateDir = flags.add(
      'state-dir',
      `Where records and keys are kept (default "${STATE_DIR}")`,
      text(STATE_DIR),
    );
    const socket = flags.add(
      'socket',
      `Unix socket for root on this machine (default "${HUB_SOCKET}")`,
      text(HUB_SOCKET),
    );
    const name = flags.add('name', "Name of this host in the fleet (default: the machine's)", text());
    const listen = listenFlags(flags);
    return async (context) => {
      const where = await listen();
      if (where === undefined) throw new ExitError(EXIT_USAGE, '--listen: agents need somewhere to connect');
      // Started if there is none, in the background: it outlives the fleet, as its containers do.
      const client = await context.client();
      const { jsonLinesLog, startUp } = await import('@fairlead/fleet');
      const leaving = new AbortController();
      for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => leaving.abort());
      await using up = await startUp(
        {
          directory: stateDir.value,
          socket: socket.value,
          listen: where,
          engine: client.address,
          name: name.value === '' ? undefined : name.value,
          env: context.env,
          log: jsonLinesLog((line) => void context.err(line.trimEnd())),
        },
        leaving.signal,
      );
      const { url } = up.hub;
      await context.out(
        [
          `hub: ${url} and unix://${socket.value}`,
          'add another host:',
          `  here:   fairlead fleet token create${socket.value === HUB_SOCKET ? '' : ` --hub unix://${socket.value}`}`,
          `  there:  fairlead agent --hub ${url} --token TOKEN`,
          ...(where.host === '127.0.0.1' ? ['  (only this machine reaches that address: see --listen)'] : []),
          '',
        ].join('\n'),
      );
      await Promise.race([aborted(leaving.signal), up.failed]);
      return 0;
    };
  },
};
