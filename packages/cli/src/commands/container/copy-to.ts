import { type Client, RequestFailedError } from '@fairlead/client';
import { packTree } from '@fairlead/client/files';
import { humanSize } from '@fairlead/protocol';
import type { Readable } from 'node:stream';
import { lstat, realpath, stat } from 'node:fs/promises';
import { posix, resolve } from 'node:path';
import type { CliContext } from '../../context.ts';
import { EXIT_FAILURE, ExitError } from '../../exit-codes.ts';
import { baseName, type ContainerSide, type CopyFlags, landingOf, namesContent, type PlaceKind } from './copy-paths.ts';

/** Go's os.FileMode. */
const MODE_DIRECTORY = 2 ** 31;
const MODE_SYMLINK = 2 ** 27;

/** Copies a path of this machine, or a tar from standard input, into a container. @throws ExitError in Docker's words. */
export async function copyToContainer(
  context: CliContext,
  { source, to }: { readonly source: string; readonly to: ContainerSide },
  how: CopyFlags,
): Promise<number> {
  const client = await context.client();
  const target = await targetIn(client, to);
  const copied = { bytes: 0 };
  const send = async (directory: string, tar: AsyncIterable<Uint8Array>): Promise<void> => {
    await client.containers.copyTo(
      to.container,
      { path: directory, tar: counted(tar, copied) },
      { noOverwriteDirNonDir: true, copyUIDGID: how.archive },
    );
  };
  if (source === '-') {
    if (target.kind !== 'directory') {
      throw new ExitError(EXIT_FAILURE, `destination "${to.container}:${to.path}" must be a directory`);
    }
    await send(target.path, bytesOf(context.terminal.stdin));
    return 0;
  }
  const from = await sourceAt(source, how.followLink);
  const landing = landingOf(from, target);
  await send(landing.directory, packTree(from.place, { name: landing.name }));
  if (!how.quiet) {
    await context.err(`Successfully copied ${humanSize(copied.bytes)} to ${to.container}:${target.path}`);
  }
  return 0;
}

/** What is at the destination; one link at its end is followed, as Docker's CLI does. */
async function targetIn(
  client: Client,
  { container, path }: ContainerSide,
): Promise<{ readonly path: string; readonly kind: PlaceKind }> {
  const absolute = path.startsWith('/') ? path : `/${path}`;
  const at = async (place: string): ReturnType<Client['containers']['stat']> =>
    await client.containers.stat(container, place);
  try {
    let place = absolute;
    let found = await at(place);
    if (Math.floor(found.mode / MODE_SYMLINK) % 2 === 1 && found.linkTarget !== '') {
      const { linkTarget } = found;
      place = linkTarget.startsWith('/') ? linkTarget : posix.join(posix.dirname(absolute), linkTarget);
      found = await at(place);
    }
    return { path: place, kind: Math.floor(found.mode / MODE_DIRECTORY) % 2 === 1 ? 'directory' : 'other' };
  } catch (error) {
    if (!(error instanceof RequestFailedError) || error.kind !== 'not-found') throw error;
    // Whether it is the container that is missing is told when its parent is written to.
    return { path: absolute, kind: 'nothing' };
  }
}

interface Source {
  /** As typed, with the name it is copied by. */
  readonly path: string;
  /** Where it is. */
  readonly place: string;
  readonly isDirectory: boolean;
}

async function sourceAt(typed: string, followLink: boolean): Promise<Source> {
  try {
    // A slash or a dot at the end asks for the directory that a link points to.
    const follows = followLink || /\/\.?$/.test(typed);
    const place = follows ? await realpath(typed) : resolve(typed);
    const found = follows ? await stat(place) : await lstat(place);
    if (/\/\.?$/.test(typed) && !found.isDirectory()) {
      throw new ExitError(EXIT_FAILURE, `${resolve(typed)}: not a directory`);
    }
    const path = namesContent(typed) ? typed : baseName(resolve(typed));
    return { path, place, isDirectory: found.isDirectory() };
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'ENOENT') throw error;
    const missing = await firstMissing(resolve(typed));
    throw new ExitError(EXIT_FAILURE, `lstat ${missing}: no such file or directory`, { cause: error });
  }
}

/** Which part of a path is not there. */
async function firstMissing(path: string): Promise<string> {
  const parts = path.split('/');
  for (let depth = 2; depth < parts.length; depth += 1) {
    const part = parts.slice(0, depth).join('/');
    const isThere = await stat(part).then(
      () => true,
      () => false,
    );
    if (!isThere) return part;
  }
  return path;
}

async function* counted(
  tar: AsyncIterable<Uint8Array>,
  copied: { bytes: number },
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of tar) {
    copied.bytes += chunk.byteLength;
    yield chunk;
  }
}

function bytesOf(stream: Readable): AsyncIterable<Uint8Array> {
  return stream;
}
