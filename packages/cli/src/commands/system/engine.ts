import type { Command } from '../../command.ts';
import { noArguments } from '../../command.ts';
import { FAIRLEAD_SOCKET } from '@fairlead/client';
import { DEFAULT_ROOT } from '../../engine-autostart.ts';
import { list, parsed, text } from '../../flags/flag-types.ts';

/** `fairlead engine`: the one place that knows the engine, and it is loaded only when asked for. */
export const engineCommand: Command = {
  name: 'engine',
  usage: '[OPTIONS]',
  summary: 'Run the engine in the foreground until SIGTERM; containers go on without it',
  args: noArguments,
  define(flags) {
    const root = flags.add(
      'root',
      `Where images, containers and records are kept (default "${DEFAULT_ROOT}")`,
      text(DEFAULT_ROOT),
    );
    const hosts = flags.add('host,H', `Where to listen, may be repeated (default "unix://${FAIRLEAD_SOCKET}")`, list());
    const level = flags.add(
      'log-level',
      'How much to log: silent, error, warn, info or debug (default "info")',
      text('info'),
    );
    const runtime = flags.add(
      'runtime',
      'OCI runtime: name or path (default: crun where it runs, else runc)',
      parsed('string', String),
    );
    return async (context) => {
      const named = [...context.hosts, ...hosts.value];
      const { logLevelOf, runEngine } = await import('@fairlead/engine');
      return await runEngine({
        root: root.value,
        hosts: named.length > 0 ? named : [`unix://${FAIRLEAD_SOCKET}`],
        logLevel: logLevelOf(level.value),
        runtime: runtime.value,
      });
    };
  },
};
