import { dirname, join } from 'node:path';
import { EngineError } from '@fairlead/protocol';
import { makeDeviceNode, setExtendedAttribute } from '../../host/file-nodes.ts';
import { removeFile, removeTree } from '../../host/files.ts';
import { nothingAt, readTimes, restoreTimes } from '../../host/file-times.ts';
import { WHITEOUT_PREFIX } from '../../host/unpack-tar.ts';

/** Source: OCI image-spec, layer.md, "Opaque Whiteout". */
const OPAQUE_MARKER = '.wh..wh.opq';
/** What aufs kept for itself; Docker leaves it out too. Source: moby, pkg/archive/whiteouts.go. */
const META_PREFIX = '.wh..wh.';

/**
 * Turns the whiteout files of an unpacked layer into what overlayfs understands: a character device 0:0 for a name that
 * is gone, `trusted.overlay.opaque` for a directory that hides its lower ones.
 *
 * A name that the layer has itself wins over its whiteout. Directories keep their times.
 * @param paths within `directory`, none of them through a link.
 * @param lowest the layer has nothing below it, so there is nothing to hide.
 * @throws EngineError 'invalid-argument' for a marker that names nothing.
 */
export async function convertWhiteouts(directory: string, paths: readonly string[], lowest: boolean): Promise<void> {
  const parents = new Set(paths.map((path) => dirname(join(directory, path))));
  const times = await Promise.all([...parents].map(readTimes));
  for (const path of paths) await convert(join(directory, path), lowest);
  await Promise.all(times.map(restoreTimes));
}

async function convert(marker: string, lowest: boolean): Promise<void> {
  const parent = dirname(marker);
  const name = marker.slice(parent.length + 1);
  const hidden = name.slice(WHITEOUT_PREFIX.length);
  if (name === OPAQUE_MARKER) {
    await removeFile(marker);
    if (!lowest) setExtendedAttribute(parent, 'trusted.overlay.opaque', Buffer.from('y'));
    return;
  }
  if (name.startsWith(META_PREFIX)) return await removeTree(marker);
  if (hidden === '' || hidden === '.' || hidden === '..') {
    throw new EngineError('invalid-argument', `cannot unpack layer: invalid whiteout ${JSON.stringify(name)}`);
  }
  await removeTree(marker);
  const target = join(parent, hidden);
  if (lowest || !(await nothingAt(target))) return;
  makeDeviceNode(target, { type: 'character', mode: 0, major: 0, minor: 0 });
}
