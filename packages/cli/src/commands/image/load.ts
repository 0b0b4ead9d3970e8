import { type Command, noArguments } from '../../command.ts';
import { EXIT_FAILURE, ExitError } from '../../exit-codes.ts';
import { parsed, toggle } from '../../flags/flag-types.ts';
import { showProgress } from './show-progress.ts';
import { tarInput } from './tar-input.ts';

/** `fairlead load` */
export const loadCommand: Command = {
  name: 'load',
  usage: '[OPTIONS]',
  summary: 'Load an image from a tar archive or STDIN',
  args: noArguments,
  define(flags) {
    const input = flags.add('input,i', 'Read from tar archive file, instead of STDIN', parsed('string', String));
    const quiet = flags.add('quiet,q', 'Suppress the load output', toggle());
    return async (context) => {
      if (input.value === undefined && context.terminal.stdin.isTTY === true) {
        throw new ExitError(EXIT_FAILURE, 'requested load from stdin, but stdin is empty');
      }
      const tar = await tarInput(context, input.value);
      const client = await context.client();
      const load = client.images.load(tar, { quiet: quiet.value || context.terminal.stdout.isTTY !== true });
      await showProgress(context, load);
      return 0;
    };
  },
};
