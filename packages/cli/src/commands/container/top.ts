import { atLeast, type Command } from '../../command.ts';
import { formatTable, TOP_TABLE } from '../../format/table.ts';

/** `fairlead top` */
export const topCommand: Command = {
  name: 'top',
  usage: 'CONTAINER [ps OPTIONS]',
  summary: 'Display the running processes of a container',
  args: atLeast(1),
  stopAtFirstArgument: true,
  define() {
    return async (context, [ref = '', ...psArgs]) => {
      const client = await context.client();
      const { Titles, Processes } = await client.containers.top(ref, { psArgs: psArgs.join(' ') });
      await context.out(formatTable([Titles, ...Processes], TOP_TABLE));
      return 0;
    };
  },
};
