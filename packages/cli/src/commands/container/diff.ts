import { type Command, exactly } from '../../command.ts';

/** By kind. Source: docker/cli formatter/diff.go. */
const LETTERS = 'CAD';

/** `fairlead diff` */
export const diffCommand: Command = {
  name: 'diff',
  usage: 'CONTAINER',
  summary: "Inspect changes to files or directories on a container's filesystem",
  args: exactly(1),
  define() {
    return async (context, [ref = '']) => {
      const changes = await (await context.client()).containers.changes(ref);
      await context.out(changes.map(({ Kind, Path }) => `${LETTERS[Kind]} ${Path}\n`).join(''));
      return 0;
    };
  },
};
