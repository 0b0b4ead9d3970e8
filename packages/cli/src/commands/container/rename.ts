import { type Command, exactly } from '../../command.ts';
import { EXIT_FAILURE, failureText } from '../../exit-codes.ts';

/** `fairlead rename` */
export const renameCommand: Command = {
  name: 'rename',
  usage: 'CONTAINER NEW_NAME',
  summary: 'Rename a container',
  args: exactly(2),
  define() {
    return async (context, [ref = '', name = '']) => {
      try {
        await (await context.verbs()).rename(ref, name);
        return 0;
      } catch (error) {
        await context.err(`${failureText(error)}\nError: failed to rename container named ${ref}`);
        return EXIT_FAILURE;
      }
    };
  },
};
