import { EngineError, type ContainerPathStat, type ContainerRef } from '@fairlead/protocol';
import { ownedChunks } from '../../lib/owned-chunks.ts';
import type { FilesystemView, FoundPath } from '../ports/container-filesystem.ts';
import { resolveUser, USER_FILE_BYTES_MAX } from '../spec/resolve-user.ts';
import type { ArchiveReader } from '../ports/archive-reader.ts';
import { openContainerView } from './container-view.ts';
import type { FileDeps } from './file-deps.ts';
import { mountPointsOf } from './mount-points.ts';
import { archiveName, containerPath, pathStat } from './path-stat.ts';
import type { ContainerRecord } from './record.ts';
import { whyReadOnly } from './view-mounts.ts';

/**
 * Tells about a path in a container.
 * @throws EngineError 'not-found' `Could not find the file …`, 'invalid-argument' without a path; see `openContainerView`.
 */
export async function statContainerPath(
  deps: FileDeps,
  ref: ContainerRef,
  path: string | undefined,
): Promise<ContainerPathStat> {
  const asked = { ref, path: givenPath(path) };
  const actor = deps.directory.resolve(ref);
  await using opened = await openContainerView(deps, actor);
  using found = await findIn(opened.view, asked);
  return pathStat(containerPath(asked.path), found.facts);
}

/** A tar of something in a container. */
export interface ContainerArchive {
  readonly stat: ContainerPathStat;
  /** To be iterated once, or broken off. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

/**
 * Archives what is at a path in a container: a directory with everything in it, anything else alone.
 *
 * The chunks end with their reason when `signal` aborts or the container is removed.
 * @throws as {@link statContainerPath}.
 */
export async function archiveContainerPath(
  deps: FileDeps,
  ref: ContainerRef,
  options: { readonly path: string | undefined; readonly signal: AbortSignal },
): Promise<ContainerArchive> {
  const asked = { ref, path: givenPath(options.path) };
  const actor = deps.directory.resolve(ref);
  await using undo = new AsyncDisposableStack();
  const opened = undo.use(await openContainerView(deps, actor));
  const found = undo.use(await findIn(opened.view, asked));
  deps.publish(actor.record, 'archive-path');
  const signal = AbortSignal.any([options.signal, opened.removal]);
  const path = containerPath(asked.path);
  const chunks = found.archive({ name: archiveName(path), signal });
  return { stat: pathStat(path, found.facts), chunks: ownedChunks(chunks, undo.move(), signal) };
}

export interface PutArchive {
  readonly path: string | undefined;
  /** A directory is not replaced by something else, nor something else by a directory. */
  readonly keepTypes: boolean;
  /** Everything becomes the container's user's, if it has one. */
  readonly toUser: boolean;
}

/**
 * Unpacks a tar, compressed or not, into a directory of a container. Nothing is undone after a failure, as with Docker. Once `source`
 * has come it is unpacked to its end, whoever still waits; only the container's removal ends it early.
 * @throws EngineError 'not-found', 'invalid-argument' when the place is no directory or read-only; as `ViewDirectory.unpack`; an
 *   error of `source`; 'conflict' when the container is removed meanwhile.
 */
export async function putContainerArchive(
  deps: FileDeps & { readonly archives: ArchiveReader },
  ref: ContainerRef,
  put: PutArchive & { readonly source: AsyncIterable<Uint8Array> },
): Promise<void> {
  const asked = { ref, path: givenPath(put.path) };
  const actor = deps.directory.resolve(ref);
  await using opened = await openContainerView(deps, actor);
  using directory = await opened.view.directory(containerPath(asked.path)).catch(missing(asked));
  const { record, state } = actor;
  const refusal = whyReadOnly(mountPointsOf(record), directory.path, {
    readOnlyRoot: record.hostConfig.ReadonlyRootfs,
    running: state.status === 'running',
  });
  if (refusal !== undefined) throw new EngineError('invalid-argument', refusal);
  const owner = put.toUser ? await userOf(opened.view, record) : undefined;
  const how = { keepTypes: put.keepTypes, owner, signal: opened.removal };
  await directory.unpack(deps.archives.decompress(put.source), how);
  deps.publish(record, 'extract-to-dir');
}

interface Asked {
  readonly ref: ContainerRef;
  readonly path: string;
}

/** @throws EngineError in Docker's words, missing blank included. Source: engine-api 8.5. */
function givenPath(path: string | undefined): string {
  if (path === undefined || path === '')
    throw new EngineError('invalid-argument', 'bad parameter: pathcannot be empty');
  if (path.includes('\0')) throw new EngineError('invalid-argument', 'invalid path: it contains a NUL');
  return path;
}

async function findIn(view: FilesystemView, asked: Asked): Promise<FoundPath> {
  const path = containerPath(asked.path);
  const found = await view.find(path).catch((error: unknown) => {
    throw explained(path, error);
  });
  if (found === undefined) throw notFound(asked);
  return found;
}

/** As the container's own start looks it up. Undefined when the container names none: then the archive says whose things are. */
async function userOf(
  view: FilesystemView,
  { config }: ContainerRecord,
): Promise<{ readonly uid: number; readonly gid: number } | undefined> {
  if (config.User === '') return undefined;
  const [passwd, group] = await Promise.all(
    ['/etc/passwd', '/etc/group'].map((path) => view.readText(path, USER_FILE_BYTES_MAX)),
  );
  const { uid, gid } = resolveUser({ passwd: passwd ?? '', group: group ?? '' }, { user: config.User, groupAdd: [] });
  return { uid, gid };
}

/** In Go's words. */
function explained(path: string, error: unknown): unknown {
  const words = error instanceof Error && 'code' in error ? GO_WORDS.get(error.code) : undefined;
  return words === undefined ? error : new EngineError('internal', `lstat ${path}: ${words}`, { cause: error });
}

const GO_WORDS: ReadonlyMap<unknown, string> = new Map([
  ['ENOTDIR', 'not a directory'],
  ['ELOOP', 'too many levels of symbolic links'],
  ['ENAMETOOLONG', 'file name too long'],
]);

function missing(asked: Asked): (error: unknown) => never {
  return (error) => {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw isMissing ? notFound(asked, error) : error;
  };
}

function notFound({ ref, path }: Asked, cause?: unknown): EngineError {
  return new EngineError('not-found', `Could not find the file ${path} in container ${ref}`, { cause });
}
