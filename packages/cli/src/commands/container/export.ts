import { type Command, exactly } from '../../command.ts';
import { text } from '../../flags/flag-types.ts';
import { writeOutput } from '../write-output.ts';

/** `fairlead export` */
export const exportCommand: Command = {
  name: 'export',
  usage: '[OPTIONS] CONTAINER',
  summary: "Export a container's filesystem as a tar archive",
  args: exactly(1),
  define(flags) {
    const output = flags.add('output,o', 'Write to a file, instead of STDOUT', text());
    return async (context, [ref = '']) => {
      const to = { path: output.value, what: 'failed to export container' };
      await writeOutput(context, to, (await context.client()).containers.export(ref));
      return 0;
    };
  },
};
