import { type Client, type ContainerArchive, RequestFailedError } from '@fairlead/client';
import { unpackTree } from '@fairlead/client/files';
import { humanSize } from '@fairlead/protocol';
import { stat } from 'node:fs/promises';
import { dirname, posix, resolve } from 'node:path';
import type { CliContext } from '../../context.ts';
import { EXIT_FAILURE, ExitError } from '../../exit-codes.ts';
import { baseName, type ContainerSide, type CopyFlags, landingOf, namesContent, type PlaceKind } from './copy-paths.ts';

/** Go's os.FileMode. */
const MODE_DIRECTORY = 2 ** 31;

/** Copies a path of a container to this machine, or as a tar to standard output. @throws ExitError in Docker's words. */
export async function copyFromContainer(
  context: CliContext,
  { from, target }: { readonly from: ContainerSide; readonly target: string },
  how: CopyFlags,
): Promise<number> {
  if (target !== '-') await assertParent(target);
  const client = await context.client();
  const path = how.followLink ? await followed(client, from) : from.path;
  const archive = await client.containers.copyFrom(from.container, path);
  await using tar = archive.tar;
  if (target === '-') {
    for await (const chunk of tar) await context.out(chunk);
    return 0;
  }
  const copied = { bytes: 0 };
  const left = await unpack({ archive, copied }, { source: from.path, path, target }, how);
  for (const name of left) await context.err(`${name}: devices and pipes are not copied`);
  if (!how.quiet) await context.err(`Successfully copied ${humanSize(copied.bytes)} to ${resolve(target)}`);
  return 0;
}

async function unpack(
  { archive, copied }: { readonly archive: ContainerArchive; readonly copied: { bytes: number } },
  at: { readonly source: string; readonly path: string; readonly target: string },
  how: CopyFlags,
): Promise<readonly string[]> {
  const isDirectory = Math.floor(archive.stat.mode / MODE_DIRECTORY) % 2 === 1;
  const trailing = /(\/\.?)$/.exec(at.target)?.[1] ?? '';
  const place = { path: `${resolve(at.target)}${trailing}`, kind: await kindOf(at.target) };
  const landing = landingOf({ path: at.source, isDirectory }, place);
  // The tar calls it by the last part of the path that was asked for; of `a/.` it has the content only.
  const first = namesContent(at.path) ? '' : baseName(archive.stat.name);
  const rename = (name: string): string => {
    const rest = first !== '' && name.startsWith(first) ? name.slice(first.length) : `/${name}`;
    return `${landing.name ?? ''}${rest}`;
  };
  async function* counted(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of archive.tar) {
      copied.bytes += chunk.byteLength;
      yield chunk;
    }
  }
  return await unpackTree(counted(), landing.directory, { rename, keepOwners: how.archive });
}

/** What a link at the source points to. */
async function followed(client: Client, { container, path }: ContainerSide): Promise<string> {
  try {
    const { linkTarget } = await client.containers.stat(container, path);
    if (linkTarget === '') return path;
    return linkTarget.startsWith('/') ? linkTarget : posix.join(posix.dirname(path), linkTarget);
  } catch (error) {
    // The copy itself says so in the engine's words.
    if (error instanceof RequestFailedError && error.kind === 'not-found') return path;
    throw error;
  }
}

async function assertParent(target: string): Promise<void> {
  const parent = dirname(resolve(target));
  if ((await kindOf(parent)) === 'directory') return;
  throw new ExitError(EXIT_FAILURE, `invalid output path: directory "${parent}" does not exist`);
}

async function kindOf(path: string): Promise<PlaceKind> {
  try {
    return (await stat(path)).isDirectory() ? 'directory' : 'other';
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 'nothing';
    throw error;
  }
}
