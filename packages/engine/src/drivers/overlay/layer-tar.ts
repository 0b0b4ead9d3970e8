import { EngineError } from '@fairlead/protocol';
import { type BytePath, encodeTar, shownPath, type TarFile } from '@fairlead/protocol/tar';
import { isWhiteout } from '../../host/lower-tree.ts';
import { RootedTree } from '../../host/rooted-tree.ts';
import { NO_CONTENT, SMALL_FILE_BYTES_MAX, tarFiles, tarRecord } from '../../host/tar-tree.ts';
import { WHITEOUT_PREFIX } from '../../host/unpack-tar.ts';
import { walkTree, type TreeEntry } from '../../host/walk-tree.ts';

/** Source: OCI image-spec, layer.md, "Opaque Whiteout". */
const OPAQUE_MARKER = '.wh..wh.opq';
const OPAQUE = 'trusted.overlay.opaque';

/** Extended attributes that mean the same elsewhere. Those of users follow by their prefix. */
const ATTRIBUTES = ['security.capability'] as const;

/** A writable layer's directory as a layer's tar. Empty, without any entry, yields no byte. See `Snapshotter.layerTar`. */
export async function* layerTar(upper: string, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
  using tree = await RootedTree.open(upper);
  using root = await tree.findDirectory('/');
  if ((await root.names()).length === 0) return;
  yield* encodeTar(layerFiles(walkTree(root, { signal, contentBytesMax: SMALL_FILE_BYTES_MAX })));
}

async function* layerFiles(entries: AsyncIterable<TreeEntry>): AsyncGenerator<TarFile, void, undefined> {
  const whiteouts: TarFile[] = [];
  const files = tarFiles(split(entries, whiteouts), { rename: (path) => path, attributes: ATTRIBUTES });
  for await (const file of files) {
    yield* whiteouts.splice(0);
    yield file;
  }
  yield* whiteouts.splice(0);
}

/** Passes files on; what becomes a marker is put aside, to be written before the next file and so behind its own directory. */
async function* split(
  entries: AsyncIterable<TreeEntry>,
  whiteouts: TarFile[],
): AsyncGenerator<TreeEntry, void, undefined> {
  for await (const entry of entries) {
    if (entry.name.startsWith(WHITEOUT_PREFIX)) {
      const path = JSON.stringify(shownPath(`/${entry.path}`));
      throw new EngineError(
        'invalid-argument',
        `cannot commit ${path}: names with ${WHITEOUT_PREFIX} mean deleted files`,
      );
    }
    if (isWhiteout(entry.stats)) whiteouts.push(marker(entry, `${WHITEOUT_PREFIX}${entry.name}`, parentOf(entry.path)));
    else {
      yield entry;
      if (isOpaque(entry)) whiteouts.push(marker(entry, OPAQUE_MARKER, `${entry.path}/`));
    }
  }
}

function marker({ stats }: TreeEntry, name: BytePath, parent: BytePath): TarFile {
  const record = { ...tarRecord(stats, `${parent}${name}`, 'file'), sizeBytes: 0, mode: 0, uid: 0, gid: 0 };
  return { record, content: NO_CONTENT };
}

/** With the slash at its end; empty for the root. */
function parentOf(path: BytePath): BytePath {
  return path.slice(0, path.lastIndexOf('/') + 1);
}

function isOpaque(entry: TreeEntry): boolean {
  if (!entry.stats.isDirectory()) return false;
  return Buffer.from(entry.attribute(OPAQUE) ?? []).toString('latin1') === 'y';
}
