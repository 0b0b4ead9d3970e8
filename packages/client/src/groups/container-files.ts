import {
  type BodyInputOf,
  containerFileEndpoints as rows,
  type CommitContainerResponse,
  type ContainerChange,
  type ContainerFileEndpoints,
  type ContainerPathStat,
  type ContainerRef,
  decodePathStat,
  familiarName,
  parseReference,
  PATH_STAT_HEADER,
  withDefaultTag,
} from '@fairlead/protocol';
import { type Asking, call, callStream } from '../call.ts';
import { NotFoundError, ProtocolError } from '../errors.ts';
import { ByteStream } from '../streams/byte-stream.ts';
import type { HttpHeaders } from '../transport/http-head.ts';
import { type ClientDeps, type Listening, signalOf } from './group.ts';

/** A path within a container; it begins at the container's root, with or without a slash. */
export interface ContainerPath {
  readonly ref: ContainerRef;
  readonly path: string;
}

/** A path's tar. Its names begin with the last part of the path. */
export interface ContainerArchive {
  readonly stat: ContainerPathStat;
  /** To be iterated, or disposed: it holds a connection. */
  readonly tar: ByteStream;
}

export interface CopyToOptions extends Listening {
  /** Refuses to replace a directory by something else, and something else by a directory. */
  readonly noOverwriteDirNonDir?: boolean | undefined;
  /** Everything becomes the container's user's, else it keeps the owners in the tar. */
  readonly copyUIDGID?: boolean | undefined;
}

/** What an image that is made of a container gets. */
export interface CommitOptions extends Listening {
  /** The image's name with or without a tag; absent: it gets none. */
  readonly name?: string | undefined;
  readonly comment?: string | undefined;
  readonly author?: string | undefined;
  /** Freezes the container while its files are read; true when absent. */
  readonly pause?: boolean | undefined;
  /** Lines as in a Dockerfile: `CMD ["sh"]`. */
  readonly changes?: readonly string[] | undefined;
  /** Fields of the image's configuration. */
  readonly config?: BodyInputOf<ContainerFileEndpoints['commit']> | undefined;
}

/** What a path in a container is. @throws NotFoundError for the container and for the path. */
export async function statPath(
  deps: ClientDeps,
  { ref, path }: ContainerPath,
  options: Listening,
): Promise<ContainerPathStat> {
  const asked = { operation: `stat ${ref}:${path}`, params: { id: ref }, query: { path }, signal: signalOf(options) };
  try {
    return statIn((await call(deps, rows.statPath, asked)).headers, asked);
  } catch (error) {
    // The answer to a HEAD has no words of its own.
    if (!(error instanceof NotFoundError)) throw error;
    const { status, operation } = error;
    const words = `Could not find the file ${path} in container ${ref}`;
    throw new NotFoundError('not-found', words, { operation, status, cause: error });
  }
}

/** The tar of a file or directory. @throws as `statPath`. */
export async function copyFrom(
  deps: ClientDeps,
  { ref, path }: ContainerPath,
  options: Listening,
): Promise<ContainerArchive> {
  const asked = { operation: `copy ${ref}:${path}`, params: { id: ref }, query: { path }, signal: signalOf(options) };
  const answer = await callStream(deps, rows.getArchive, asked);
  const tar = new ByteStream(answer, asked);
  try {
    return { stat: statIn(answer.headers, asked), tar };
  } catch (error) {
    await tar[Symbol.asyncDispose]();
    throw error;
  }
}

/** Unpacks a tar into a directory. @throws as `statPath`; 'forbidden' on a read-only root; what the tar's source throws. */
export async function copyTo(
  deps: ClientDeps,
  { ref, path, tar }: ContainerPath & { readonly tar: AsyncIterable<Uint8Array> },
  options: CopyToOptions,
): Promise<void> {
  const { noOverwriteDirNonDir, copyUIDGID } = options;
  const query = { path, noOverwriteDirNonDir, copyUIDGID };
  const asked = { operation: `copy to ${ref}:${path}`, params: { id: ref }, query, signal: signalOf(options) };
  await call(deps, rows.putArchive, { ...asked, bytes: tar });
}

/** The whole root filesystem as a tar. @throws as `callStream`; as `ByteStream`. */
export async function* exportContainer(
  deps: ClientDeps,
  ref: ContainerRef,
  options: Listening,
): AsyncGenerator<Uint8Array, void, undefined> {
  const asked = { operation: `export ${ref}`, params: { id: ref }, signal: signalOf(options) };
  yield* new ByteStream(await callStream(deps, rows.export, asked), asked);
}

/** What differs from the image. */
export async function changesOf(
  deps: ClientDeps,
  ref: ContainerRef,
  options: Listening,
): Promise<readonly ContainerChange[]> {
  const asked = { operation: `diff ${ref}`, params: { id: ref }, signal: signalOf(options) };
  return (await call(deps, rows.changes, asked)).body ?? [];
}

/** Makes an image of it. @throws EngineError 'invalid-argument' for a name that is none. */
export async function commitContainer(
  deps: ClientDeps,
  ref: ContainerRef,
  options: CommitOptions,
): Promise<CommitContainerResponse> {
  const { name, comment, author, pause, changes, config = {} } = options;
  const named = name === undefined ? undefined : withDefaultTag(parseReference(name));
  const repo = named === undefined ? undefined : familiarName(named);
  const query = { container: ref, repo, tag: named?.tag, comment, author, pause, changes };
  const asked = { operation: `commit ${ref}`, query, body: config, signal: signalOf(options) };
  return (await call(deps, rows.commit, asked)).body;
}

function statIn(headers: HttpHeaders, { operation }: Asking): ContainerPathStat {
  const stat = decodePathStat(headers[PATH_STAT_HEADER.toLowerCase()]);
  if (stat === undefined)
    throw new ProtocolError(`the engine said nothing about the path (${operation})`, { operation });
  return stat;
}
