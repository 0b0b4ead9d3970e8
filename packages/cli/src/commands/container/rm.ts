import { isEngineError } from '@fairlead/protocol';
import { atLeast, type Command } from '../../command.ts';
import { failureText } from '../../exit-codes.ts';
import { toggle } from '../../flags/flag-types.ts';
import { forEach } from '../each.ts';

/** `fairlead rm` */
export const rmCommand: Command = {
  name: 'rm',
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Remove one or more containers',
  args: atLeast(1),
  define(flags) {
    const force = flags.add('force,f', 'Force the removal of a running container (uses SIGKILL)', toggle());
    const volumes = flags.add('volumes,v', 'Remove anonymous volumes associated with the container', toggle());
    return async (context, refs) => {
      const containers = await context.verbs();
      return await forEach(context, refs, async (ref) => {
        try {
          await containers.remove(ref, {
            ...(force.value ? { force: true } : {}),
            ...(volumes.value ? { v: true } : {}),
          });
          return ref;
        } catch (error) {
          // Nothing there is what was asked for. Source: docker/cli container/rm.go.
          if (!force.value || !isEngineError(error) || error.kind !== 'not-found') throw error;
          await context.err(failureText(error));
          return '';
        }
      });
    };
  },
};
