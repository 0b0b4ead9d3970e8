import { type Command, exactly } from '../../command.ts';
import { EXIT_FAILURE, ExitError } from '../../exit-codes.ts';
import { toggle } from '../../flags/flag-types.ts';
import { copyFromContainer } from './copy-from.ts';
import type { ContainerSide, CopyFlags } from './copy-paths.ts';
import { copyToContainer } from './copy-to.ts';

/** `fairlead cp` */
export const cpCommand: Command = {
  name: 'cp',
  usage: '[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|- | SRC_PATH|- CONTAINER:DEST_PATH',
  summary: 'Copy files/folders between a container and the local filesystem',
  args: exactly(2),
  define(flags) {
    const archive = flags.add('archive,a', 'Archive mode (copy all uid/gid information)', toggle());
    const followLink = flags.add('follow-link,L', 'Always follow symbol link in SRC_PATH', toggle());
    const quiet = flags.add('quiet,q', 'Suppress progress output during copy', toggle());
    return async (context, [source = '', target = '']) => {
      const how: CopyFlags = {
        archive: archive.value,
        followLink: followLink.value,
        quiet: quiet.given ? quiet.value : context.terminal.stdout.isTTY !== true,
      };
      const [from, to] = [sideOf(source), sideOf(target)];
      if (source === '' || target === '') throw new ExitError(EXIT_FAILURE, 'source and destination can not be empty');
      if (from !== undefined && to !== undefined) {
        throw new ExitError(EXIT_FAILURE, 'copying between containers is not supported');
      }
      if (from !== undefined) return await copyFromContainer(context, { from, target }, how);
      if (to !== undefined) return await copyToContainer(context, { source, to }, how);
      throw new ExitError(EXIT_FAILURE, 'must specify at least one container source');
    };
  },
};

/** `web:/etc`; undefined for a path of this machine. Source: docker/cli container/cp.go, splitCpArg. */
function sideOf(typed: string): ContainerSide | undefined {
  const colon = typed.indexOf(':');
  // A path that begins with a dot or a slash may have colons of its own.
  if (typed.startsWith('/') || typed.startsWith('.') || colon === -1) return undefined;
  return { container: typed.slice(0, colon), path: typed.slice(colon + 1) };
}
