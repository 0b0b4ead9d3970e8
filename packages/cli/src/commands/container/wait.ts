import { atLeast, type Command } from '../../command.ts';
import { forEach } from '../each.ts';

/** `fairlead wait` */
export const waitCommand: Command = {
  name: 'wait',
  usage: 'CONTAINER [CONTAINER...]',
  summary: 'Block until one or more containers stop, then print their exit codes',
  args: atLeast(1),
  define() {
    return async (context, refs) => {
      const client = await context.client();
      return await forEach(context, refs, async (ref) => String(await client.containers.wait(ref)));
    };
  },
};
