import type { Command } from '../../command.ts';
import { noArguments } from '../../command.ts';
import { integer, list } from '../../flags/flag-types.ts';
import { servingFlags, untilAsked } from './serving-flags.ts';

/** Where a hub keeps its records and keys. */
const STATE_DIR = '/var/lib/fairlead/hub';

/** `fairlead hub`: commands a fleet. The fleet is loaded only when asked for. */
export const hubCommand: Command = {
  name: 'hub',
  usage: '[OPTIONS]',
  summary: 'Run a fleet’s hub until SIGTERM; what it has accepted is there again at its next start',
  args: noArguments,
  define(flags) {
    const serving = servingFlags(flags, STATE_DIR);
    const nats = flags.add(
      'nats',
      'Use this NATS cluster, may be repeated (default: a nats-server of its own)',
      list(),
    );
    const replicas = flags.add(
      'nats-replicas',
      'Copies of queued commands in that cluster: 1, 3 or 5 (default 1)',
      integer(),
    );
    return async (context) => {
      const { jsonLinesLog, startHub } = await import('@fairlead/fleet');
      const { directory, socket, listen } = await serving();
      const asked = untilAsked();
      await using hub = await startHub(
        {
          ...{ directory, socket, listen },
          nats: nats.value.length === 0 ? undefined : { urls: nats.value, replicas: replicas.value ?? 1 },
          log: jsonLinesLog((line) => void context.err(line.trimEnd())),
        },
        asked,
      );
      await context.out(`hub: ${[hub.url, `unix://${socket}`].filter((where) => where !== undefined).join(' and ')}\n`);
      await Promise.race([aborted(asked), hub.failed]);
      return 0;
    };
  },
};

/** Resolves when it aborts. */
export async function aborted(signal: AbortSignal): Promise<void> {
  const done = Promise.withResolvers<void>();
  if (signal.aborted) done.resolve();
  signal.addEventListener('abort', () => done.resolve(), { once: true });
  await done.promise;
}
