import { atLeast, type Command } from '../../command.ts';
import { forEach } from '../each.ts';

/** `fairlead unpause` */
export const unpauseCommand: Command = {
  name: 'unpause',
  usage: 'CONTAINER [CONTAINER...]',
  summary: 'Unpause all processes within one or more containers',
  args: atLeast(1),
  define() {
    return async (context, refs) => {
      const containers = await context.verbs();
      return await forEach(context, refs, async (ref) => {
        await containers.unpause(ref);
        return ref;
      });
    };
  },
};
