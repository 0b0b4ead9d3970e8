import { canonicalReference, parseReference, withDefaultTag } from '@fairlead/protocol';
import { type Command, exactly } from '../../command.ts';
import { EXIT_FAILURE, ExitError } from '../../exit-codes.ts';
import { parsed, toggle } from '../../flags/flag-types.ts';
import { showProgress } from './show-progress.ts';

/** `fairlead pull` */
export const pullCommand: Command = {
  name: 'pull',
  usage: '[OPTIONS] NAME[:TAG|@DIGEST]',
  summary: 'Download an image from a registry',
  args: exactly(1),
  define(flags) {
    const allTags = flags.add('all-tags,a', 'Download all tagged images in the repository', toggle());
    const platform = flags.add(
      'platform',
      'Set platform if server is multi-platform capable',
      parsed('string', String),
    );
    const quiet = flags.add('quiet,q', 'Suppress verbose output', toggle());
    return async (context, [name = '']) => {
      const reference = parseReference(name);
      if (allTags.value && (reference.tag !== undefined || reference.digest !== undefined)) {
        throw new ExitError(EXIT_FAILURE, "tag can't be used with --all-tags/-a");
      }
      const named = allTags.value ? reference : withDefaultTag(reference);
      if (named !== reference && !quiet.value) await context.out(`Using default tag: ${named.tag}\n`);
      const client = await context.client();
      const pull = client.images.pull(name, { allTags: allTags.value, platform: platform.value });
      if (quiet.value) await pull;
      else await showProgress(context, pull);
      await context.out(`${canonicalReference(named)}\n`);
      return 0;
    };
  },
};
