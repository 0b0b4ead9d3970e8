import { atLeast, type Command } from '../../command.ts';
import { forEach } from '../each.ts';

/** `fairlead pause` */
export const pauseCommand: Command = {
  name: 'pause',
  usage: 'CONTAINER [CONTAINER...]',
  summary: 'Pause all processes within one or more containers',
  args: atLeast(1),
  define() {
    return async (context, refs) => {
      const containers = await context.verbs();
      return await forEach(context, refs, async (ref) => {
        await containers.pause(ref);
        return ref;
      });
    };
  },
};
