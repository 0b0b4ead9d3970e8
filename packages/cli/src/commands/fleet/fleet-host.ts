import { atLeast, type Command } from '../../command.ts';
import { EXIT_USAGE, ExitError } from '../../exit-codes.ts';
import { hubFlags } from './hub-connection.ts';

/** `fairlead fleet host` */
export const fleetHostCommand: Command = {
  name: 'fleet host',
  usage: '[OPTIONS] rm HOST | rename HOST NAME | label HOST [KEY=VALUE...]',
  summary: 'Remove a host from the fleet, give it another name, or replace its labels',
  args: atLeast(2),
  define(flags) {
    const open = hubFlags(flags);
    return async (context, [verb, host = '', ...rest]) => {
      await using fleet = await open(context);
      switch (verb) {
        case 'rm':
          await fleet.removeHost(host);
          break;
        case 'rename':
          await fleet.changeHost(host, { name: rest[0] ?? '' });
          break;
        case 'label':
          await fleet.changeHost(host, { labels: labelsOf(rest) });
          break;
        default:
          throw new ExitError(EXIT_USAGE, `fleet host: rm, rename or label, not ${verb}`);
      }
      await context.out(`${host}\n`);
      return 0;
    };
  },
};

/** `role=web gpu` as labels. */
export function labelsOf(typed: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    typed.map((label) => {
      const at = label.indexOf('=');
      return at === -1 ? [label, ''] : [label.slice(0, at), label.slice(at + 1)];
    }),
  );
}
