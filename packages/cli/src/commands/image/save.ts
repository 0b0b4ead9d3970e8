import { atLeast, type Command } from '../../command.ts';
import { text } from '../../flags/flag-types.ts';
import { writeOutput } from '../write-output.ts';

/** `fairlead save` */
export const saveCommand: Command = {
  name: 'save',
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  summary: 'Save one or more images to a tar archive (streamed to STDOUT by default)',
  args: atLeast(1),
  define(flags) {
    const output = flags.add('output,o', 'Write to a file, instead of STDOUT', text());
    return async (context, refs) => {
      const to = { path: output.value, what: 'failed to save image' };
      await writeOutput(context, to, (await context.client()).images.save(refs));
      return 0;
    };
  },
};
