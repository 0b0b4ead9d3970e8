import { canonicalReference, familiarName, parseReference, withDefaultTag } from '@fairlead/protocol';
import { type Command, exactly } from '../../command.ts';
import { EXIT_FAILURE, ExitError } from '../../exit-codes.ts';
import { toggle } from '../../flags/flag-types.ts';
import { showProgress } from './show-progress.ts';

/** `fairlead push` */
export const pushCommand: Command = {
  name: 'push',
  usage: '[OPTIONS] NAME[:TAG]',
  summary: 'Upload an image to a registry',
  args: exactly(1),
  define(flags) {
    const allTags = flags.add('all-tags,a', 'Push all tags of an image to the repository', toggle());
    const quiet = flags.add('quiet,q', 'Suppress verbose output', toggle());
    return async (context, [name = '']) => {
      const reference = parseReference(name);
      if (allTags.value && reference.tag !== undefined) {
        throw new ExitError(EXIT_FAILURE, "tag can't be used with --all-tags/-a");
      }
      const named = allTags.value ? reference : withDefaultTag(reference);
      if (named !== reference && !quiet.value) await context.out(`Using default tag: ${named.tag}\n`);
      const push = (await context.client()).images.push(name, { allTags: allTags.value });
      if (!quiet.value) {
        await showProgress(context, push);
        return 0;
      }
      await push;
      await context.out(`${allTags.value ? familiarName(named) : canonicalReference(named)}\n`);
      return 0;
    };
  },
};
