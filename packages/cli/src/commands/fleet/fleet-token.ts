import { atLeast, type Command } from '../../command.ts';
import { EXIT_USAGE, ExitError } from '../../exit-codes.ts';
import { parseDurationMs } from '../../flags/duration.ts';
import { list, parsed, text } from '../../flags/flag-types.ts';
import { secondsText } from '../../format/human.ts';
import { formatTable } from '../../format/table.ts';
import { labelsOf } from './fleet-host.ts';
import { hubFlags } from './hub-connection.ts';

/** `fairlead fleet token` */
export const fleetTokenCommand: Command = {
  name: 'fleet token',
  usage: '[OPTIONS] create | ls | rm ID',
  summary: 'Make tokens, each of which puts one host into the fleet; they are shown once',
  args: atLeast(1),
  define(flags) {
    const open = hubFlags(flags);
    const name = flags.add('name', 'Name that the host will have (default: what it says itself)', text());
    const labels = flags.add('label,l', 'Label that the host will have, KEY=VALUE; may be repeated', list());
    const expires = flags.add('expires', 'Good for this long (default 1h)', parsed('duration', parseDurationMs));
    return async (context, [verb, id = '']) => {
      await using fleet = await open(context);
      switch (verb) {
        case 'create': {
          const { token } = await fleet.createEnrolmentToken({
            ...(name.value === '' ? {} : { name: name.value }),
            labels: labelsOf(labels.value),
            expiresMs: expires.value,
          });
          await context.out(`${token}\n`);
          return 0;
        }
        case 'ls': {
          const rows = (await fleet.enrolmentTokens()).map((token) => [
            token.id,
            token.name ?? '',
            token.createdBy,
            secondsText(token.expiresInMs),
          ]);
          await context.out(formatTable([['ID', 'NAME', 'MADE BY', 'EXPIRES IN'], ...rows]));
          return 0;
        }
        case 'rm':
          await fleet.removeEnrolmentToken(id);
          await context.out(`${id}\n`);
          return 0;
        default:
          throw new ExitError(EXIT_USAGE, `fleet token: create, ls or rm, not ${verb}`);
      }
    };
  },
};
