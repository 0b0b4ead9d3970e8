import type { Command } from '../../command.ts';
import { EXIT_FAILURE, ExitError } from '../../exit-codes.ts';
import { list, text } from '../../flags/flag-types.ts';
import { labelMap } from '../container/run-values.ts';

/** `fairlead volume create` */
export const volumeCreateCommand: Command = {
  name: 'volume create',
  usage: '[OPTIONS] [VOLUME]',
  summary: 'Create a volume',
  args: { min: 0, max: 1 },
  define(flags) {
    const driver = flags.add('driver,d', 'Specify volume driver name (default "local")', text('local'));
    const labels = flags.add('label', 'Set metadata for a volume', list());
    const name = flags.add('name', 'Specify volume name', text());
    const options = flags.add('opt,o', 'Set driver specific options', list('map'));
    return async (context, [typed]) => {
      if (typed !== undefined && name.given) {
        throw new ExitError(
          EXIT_FAILURE,
          'conflicting options: cannot specify a volume-name through both --name and as a positional arg',
        );
      }
      const { Name } = await (
        await context.client()
      ).volumes.create({
        Name: typed ?? name.value,
        Driver: driver.value,
        DriverOpts: labelMap(options.value),
        Labels: labelMap(labels.value),
      });
      await context.out(`${Name}\n`);
      return 0;
    };
  },
};
