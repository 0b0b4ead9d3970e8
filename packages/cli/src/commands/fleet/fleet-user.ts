import { FLEET_ROLES } from '@fairlead/protocol/fleet';
import { atLeast, type Command } from '../../command.ts';
import { EXIT_USAGE, ExitError } from '../../exit-codes.ts';
import { formatTable } from '../../format/table.ts';
import { hubFlags } from './hub-connection.ts';

/** `fairlead fleet user` */
export const fleetUserCommand: Command = {
  name: 'fleet user',
  usage: '[OPTIONS] create NAME ROLE | ls | rm NAME',
  summary: 'Say who may do what (view, operate, exec, admin); a token is shown once, when its user is made',
  args: atLeast(1),
  define(flags) {
    const open = hubFlags(flags);
    return async (context, [verb, name = '', typedRole]) => {
      await using fleet = await open(context);
      switch (verb) {
        case 'create': {
          const role = FLEET_ROLES.find((known) => known === typedRole);
          if (role === undefined) throw new ExitError(EXIT_USAGE, `fleet user: a role is ${FLEET_ROLES.join(', ')}`);
          await context.out(`${(await fleet.createUser({ name, role })).token}\n`);
          return 0;
        }
        case 'ls': {
          const rows = (await fleet.users()).map((user) => [user.name, user.role, user.createdAt]);
          await context.out(formatTable([['NAME', 'ROLE', 'SINCE'], ...rows]));
          return 0;
        }
        case 'rm':
          await fleet.removeUser(name);
          await context.out(`${name}\n`);
          return 0;
        default:
          throw new ExitError(EXIT_USAGE, `fleet user: create, ls or rm, not ${verb}`);
      }
    };
  },
};
