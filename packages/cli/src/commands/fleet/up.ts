import { HUB_SOCKET } from '@fairlead/protocol/fleet';
import type { Command } from '../../command.ts';
import { noArguments } from '../../command.ts';
import { EXIT_USAGE, ExitError } from '../../exit-codes.ts';
import { text } from '../../flags/flag-types.ts';
import { aborted } from './hub.ts';
import { servingFlags, untilAsked } from './serving-flags.ts';

/** Where hub and agent of this machine keep what they know. */
const STATE_DIR = '/var/lib/fairlead/fleet';

/** `fairlead up`: a whole fleet of one host, to which others are added. */
export const upCommand: Command = {
  name: 'up',
  usage: '[OPTIONS]',
  summary: 'Run engine, NATS, hub and agent on this machine until SIGTERM; says how another host is added',
  args: noArguments,
  define(flags) {
    const serving = servingFlags(flags, STATE_DIR);
    const name = flags.add('name', "Name of this host in the fleet (default: the machine's)", text());
    return async (context) => {
      const { directory, socket, listen } = await serving();
      if (listen === undefined) throw new ExitError(EXIT_USAGE, '--listen: agents need somewhere to connect');
      // Started if there is none, in the background: it outlives the fleet, as its containers do.
      const client = await context.client();
      const { jsonLinesLog, startUp } = await import('@fairlead/fleet');
      const asked = untilAsked();
      await using up = await startUp(
        {
          ...{ directory, socket, listen },
          engine: client.address,
          name: name.value === '' ? undefined : name.value,
          env: context.env,
          log: jsonLinesLog((line) => void context.err(line.trimEnd())),
        },
        asked,
      );
      const { url } = up.hub;
      await context.out(
        [
          `hub: ${url} and unix://${socket}`,
          'add another host:',
          `  here:   fairlead fleet token create${socket === HUB_SOCKET ? '' : ` --hub unix://${socket}`}`,
          `  there:  fairlead agent --hub ${url} --token TOKEN`,
          ...(listen.tls === undefined
            ? []
            : ['          --hub-ca FILE as well, when no authority of that machine has signed its certificate']),
          ...(listen.host === '127.0.0.1' ? ['  (only this machine reaches that address: see --listen)'] : []),
          '',
        ].join('\n'),
      );
      await Promise.race([aborted(asked), up.failed]);
      return 0;
    };
  },
};
