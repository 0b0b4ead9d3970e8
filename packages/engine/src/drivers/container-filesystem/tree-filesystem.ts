import { EngineError } from '@fairlead/protocol';
import { bytePathOf, pathParts } from '@fairlead/protocol/tar';
import type {
  ContainerFilesystem,
  FilesystemView,
  OpenView,
  ViewMount,
} from '../../core/ports/container-filesystem.ts';
import { isErrno } from '../../host/errno.ts';
import { isDirectory } from '../../host/file-times.ts';
import { ensureDirectory, ensureFile, RootedTree, type TreeMount } from '../../host/rooted-tree.ts';
import { TreeView } from './tree-view.ts';

/** What Docker gives the places it makes for mounts. Source: moby, daemon/containerfs_linux.go, createIfNotExists. */
const PLACE_MODE = 0o755;

/**
 * Views as mount namespaces in which nobody runs: the root, the binds and the tmpfs of a container, mounted for the view alone. See
 * `RootedTree` for why no container can lead them astray.
 */
export const treeFilesystem: ContainerFilesystem = {
  async open(request: OpenView): Promise<FilesystemView> {
    return new TreeView(await openTree(request));
  },
};

async function openTree(request: OpenView): Promise<RootedTree> {
  const mounts = request.mounts.map((mount) => treeMount(mount, request));
  // Each round makes one place that is missing.
  for (let round = 0; round <= mounts.length; round++) {
    try {
      return await RootedTree.open(request.rootPath, mounts, request.process);
    } catch (error) {
      const missing = mounts.findIndex((mount) => isMissingTarget(error, mount));
      const mount = mounts[missing];
      if (mount === undefined) throw refusal(error, mounts);
      await makePlace(request, { mount, before: mounts.slice(0, missing) });
    }
  }
  throw new EngineError('internal', 'the places for mounts vanish as fast as they are made');
}

function treeMount(mount: ViewMount, { process }: OpenView): TreeMount {
  if (mount.kind === 'bind') return mount;
  return { kind: process === undefined ? 'empty-tmpfs' : 'live-tmpfs', target: mount.target };
}

function isMissingTarget(error: unknown, { target }: TreeMount): boolean {
  return isErrno(error, 'ENOENT') && error.syscall === 'openat2' && error.path === target;
}

/** Made where the container will see it: a target may lie in another mount. */
async function makePlace(
  request: OpenView,
  { mount, before }: { readonly mount: TreeMount; readonly before: readonly TreeMount[] },
): Promise<void> {
  using tree = await RootedTree.open(request.rootPath, before, request.process);
  const parts = pathParts(bytePathOf(mount.target));
  if (mount.kind !== 'bind' || (await isDirectory(mount.source))) {
    using _made = await ensureDirectory(tree, parts, PLACE_MODE);
  } else {
    await ensureFile(tree, parts, PLACE_MODE);
  }
}

function refusal(error: unknown, mounts: readonly TreeMount[]): unknown {
  if (!isErrno(error)) return error;
  const gone = error.syscall === 'open_tree' && error.code === 'ENOENT';
  const bind = mounts.find((mount) => mount.kind === 'bind' && mount.source === error.path);
  if (gone && bind !== undefined) {
    const words = `invalid mount config for type "bind": bind source path does not exist: ${error.path}`;
    return new EngineError('invalid-argument', words, { cause: error });
  }
  return new EngineError('internal', `cannot show the container's files: ${error.message}`, { cause: error });
}
