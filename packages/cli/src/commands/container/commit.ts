import type { Command } from '../../command.ts';
import { list, text, toggle } from '../../flags/flag-types.ts';

/** `fairlead commit` */
export const commitCommand: Command = {
  name: 'commit',
  usage: '[OPTIONS] CONTAINER [REPOSITORY[:TAG]]',
  summary: "Create a new image from a container's changes",
  args: { min: 1, max: 2 },
  define(flags) {
    const author = flags.add('author,a', 'Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")', text());
    const changes = flags.add('change,c', 'Apply Dockerfile instruction to the created image', list());
    const message = flags.add('message,m', 'Commit message', text());
    const pause = flags.add('pause,p', 'Pause container during commit (default true)', toggle(true));
    return async (context, [ref = '', name]) => {
      const { Id } = await (
        await context.client()
      ).containers.commit(ref, {
        name,
        author: author.value,
        comment: message.value,
        changes: changes.value,
        pause: pause.value,
      });
      await context.out(`${Id}\n`);
      return 0;
    };
  },
};
