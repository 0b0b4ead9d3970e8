import { atLeast, type Command } from '../../command.ts';
import { createContainer } from './create-container.ts';
import { containerFlags } from './run-flags.ts';

/** `fairlead create` */
export const createCommand: Command = {
  name: 'create',
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  summary: 'Create a new container',
  args: atLeast(1),
  stopAtFirstArgument: true,
  define(flags) {
    const read = containerFlags(flags);
    return async (context, args) => {
      const request = await read(args, { env: context.env, attached: true });
      await context.out(`${await createContainer(context, request)}\n`);
      return 0;
    };
  },
};
