import type { Command } from '../../command.ts';
import { EXIT_FAILURE, ExitError } from '../../exit-codes.ts';
import { list, text } from '../../flags/flag-types.ts';
import { tarInput } from './tar-input.ts';

/** `fairlead import` */
export const importCommand: Command = {
  name: 'import',
  usage: '[OPTIONS] file|- [REPOSITORY[:TAG]]',
  summary: 'Import the contents from a tarball to create a filesystem image',
  args: { min: 1, max: 2 },
  define(flags) {
    const changes = flags.add('change,c', 'Apply Dockerfile instruction to the created image', list());
    const message = flags.add('message,m', 'Set commit message for imported image', text());
    return async (context, [source = '', repo]) => {
      if (/^https?:\/\//.test(source)) {
        throw new ExitError(EXIT_FAILURE, 'an import from a URL is not supported: download it, and import the file');
      }
      const tar = await tarInput(context, source === '-' ? undefined : source);
      const client = await context.client();
      const progress = client.images.import(tar, {
        ...(repo === undefined ? {} : { repo }),
        ...(message.value === '' ? {} : { message: message.value }),
        ...(changes.value.length > 0 ? { changes: changes.value } : {}),
      });
      for await (const { message: line } of progress) {
        if (line?.status !== undefined) await context.out(`${line.status}\n`);
      }
      return 0;
    };
  },
};
