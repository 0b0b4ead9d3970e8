import { EngineError } from '@fairlead/protocol';
import { type BytePath, pathParts } from '@fairlead/protocol/tar';

/** As the kernel: more links than this in one path are a loop. Source: path_resolution(7). */
const LINKS_MAX = 255;

/**
 * Where a path leads when all links on it are followed, from the root: as far as there is something, the rest as written. Only words, for
 * a person or a client: nothing is opened by them.
 *
 * @param readLink what the link at a path without links before its last part says; undefined when there is no link
 * @throws EngineError 'internal' `too many links`. Source: moby, pkg/symlink, FollowSymlinkInScope.
 */
export async function resolveLink(
  path: BytePath,
  readLink: (path: BytePath) => Promise<BytePath | undefined>,
): Promise<BytePath> {
  const pending = path.split('/');
  let resolved: readonly BytePath[] = [];
  let links = 0;
  for (let part = pending.shift(); part !== undefined; part = pending.shift()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      resolved = resolved.slice(0, -1);
      continue;
    }
    const at = [...resolved, part];
    const target = await readLink(`/${at.join('/')}`);
    if (target === undefined) {
      resolved = at;
      continue;
    }
    links += 1;
    if (links > LINKS_MAX) throw new EngineError('internal', 'too many links');
    if (target.startsWith('/')) resolved = [];
    pending.unshift(...target.split('/'));
  }
  return `/${pathParts(`/${resolved.join('/')}`).join('/')}`;
}
