import { join } from 'node:path';
import { EngineError } from '@fairlead/protocol';
import { copyOwnership, readTimes, restoreTimes, type FileTimes } from '../../host/file-times.ts';
import { makeDirectory, makeLink, pathExists, writePlainFile } from '../../host/files.ts';
import { LowerDirectory } from '../../host/lower-tree.ts';

/**
 * Where the engine and the runtime mount something in every container, and what programs look for. Source: moby,
 * daemon/initlayer/setup_unix.go.
 */
const PLACES: readonly { readonly path: string; readonly is: 'directory' | 'file' | { readonly link: string } }[] = [
  { path: '/dev/console', is: 'file' },
  { path: '/dev/pts', is: 'directory' },
  { path: '/dev/shm', is: 'directory' },
  { path: '/etc/hostname', is: 'file' },
  { path: '/etc/hosts', is: 'file' },
  { path: '/etc/mtab', is: { link: '/proc/mounts' } },
  { path: '/etc/resolv.conf', is: 'file' },
  { path: '/proc', is: 'directory' },
  { path: '/sys', is: 'directory' },
  { path: '/.dockerenv', is: 'file' },
];

/**
 * Fills a directory so that, stacked on an image's layers, it has those of the {@link PLACES} that the image lacks. Directories that the
 * image has keep its owner, mode and times. So a container's own layer holds what the container changed, and nothing else.
 *
 * @param directory exists and is empty @param lower the image's layers, the topmost first; absolute paths
 */
export async function fillInitLayer(directory: string, lower: readonly string[]): Promise<void> {
  const kept: FileTimes[] = [];
  const image = LowerDirectory.stack(lower);
  await appearAs(image, directory, kept);
  for (const { path, is } of PLACES) {
    if (!(await lacks({ image, directory, kept }, path))) continue;
    const place = join(directory, path);
    if (is === 'directory') await makeDirectory(place, 0o755);
    else if (is === 'file') await writePlainFile(place, '', 0o755);
    else await makeLink(is.link, place);
  }
  // The deepest first: making something in a directory touched it.
  for (const times of kept.toReversed()) await restoreTimes(times);
}

/**
 * Makes a directory in a writable layer where nothing is at its place; those above it that the layers have keep their owner, mode and times.
 *
 * @param upper the writable layer, not mounted, with its owner and times @param lower as in {@link fillInitLayer} @param path absolute, clean
 * @throws EngineError 'internal', Docker's kind, when a file is in the way; what a link leads to is for the runtime to see.
 */
export async function makeDirectoryOver(upper: string, lower: readonly string[], path: string): Promise<void> {
  const kept: FileTimes[] = [{ ...(await readTimes(upper)), path: upper }];
  const image = LowerDirectory.stack(lower);
  if (await hasFileAt(image, path)) throw new EngineError('internal', `Cannot mkdir: ${path} is not a directory`);
  if (!(await lacks({ image, directory: upper, kept }, path))) return;
  await makeDirectory(join(upper, path), 0o755);
  for (const times of kept.toReversed()) await restoreTimes(times);
}

/** Whether a path leads to, or through, what is neither a directory nor a link. */
async function hasFileAt(image: LowerDirectory, path: string): Promise<boolean> {
  let at: LowerDirectory | undefined = image;
  for (const part of path.split('/').filter((name) => name !== '')) {
    const found = await at.find(part);
    if (found !== undefined && !found.isDirectory()) return !found.isSymbolicLink();
    at = await at.enter(part);
    if (at === undefined) return false;
  }
  return false;
}

interface Filling {
  readonly image: LowerDirectory;
  readonly directory: string;
  readonly kept: FileTimes[];
}

/** Whether the image lacks a place that can be made; then the directory for it is there. */
async function lacks({ image, directory, kept }: Filling, path: string): Promise<boolean> {
  const parts = path.split('/').filter((part) => part !== '');
  const name = parts.pop() ?? '';
  let at: LowerDirectory | undefined = image;
  let made = directory;
  for (const part of parts) {
    const inner: LowerDirectory | undefined = await at?.enter(part);
    // A link or a file of the image is in the way.
    if (inner === undefined && (await at?.find(part)) !== undefined) return false;
    at = inner;
  }
  if ((await at?.find(name)) !== undefined) return false;
  at = image;
  for (const part of parts) {
    made = join(made, part);
    at = await at?.enter(part);
    if (await pathExists(made)) continue;
    await makeDirectory(made, 0o755);
    if (at !== undefined) await appearAs(at, made, kept);
  }
  return true;
}

async function appearAs(image: LowerDirectory, directory: string, kept: FileTimes[]): Promise<void> {
  await copyOwnership(image.topmost, directory);
  kept.push({ ...(await readTimes(image.topmost)), path: directory });
}
