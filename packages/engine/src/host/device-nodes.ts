import { lstat, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from './errno.ts';

/** A device node or FIFO as the host has it. */
export interface DeviceNode {
  readonly path: string;
  readonly type: 'b' | 'c' | 'p';
  readonly major: number;
  readonly minor: number;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Looks a device up, through symbolic links; undefined when there is none or it is something else. */
export async function readDeviceNode(path: string): Promise<DeviceNode | undefined> {
  const stats = await stat(path).catch(missing);
  if (stats === undefined) return undefined;
  const type = stats.isBlockDevice() ? 'b' : stats.isCharacterDevice() ? 'c' : stats.isFIFO() ? 'p' : undefined;
  if (type === undefined) return undefined;
  const { major, minor } = splitDeviceNumber(stats.rdev);
  return { path, type, major, minor, mode: stats.mode & 0o7777, uid: stats.uid, gid: stats.gid };
}

/** Every device below a directory, without following links; directories named in `skip` are left out. */
export async function listDeviceNodes(directory: string, skip: ReadonlySet<string>): Promise<readonly DeviceNode[]> {
  const names = await readdir(directory).catch(missing);
  const found = await Promise.all((names ?? []).map((name) => visit(join(directory, name), skip)));
  return found.flat();
}

async function visit(path: string, skip: ReadonlySet<string>): Promise<readonly DeviceNode[]> {
  if (skip.has(path)) return [];
  const stats = await lstat(path).catch(missing);
  if (stats === undefined || stats.isSymbolicLink()) return [];
  if (stats.isDirectory()) return await listDeviceNodes(path, skip);
  const node = await readDeviceNode(path);
  return node === undefined ? [] : [node];
}

/** Linux's dev_t, as glibc's gnu_dev_major and gnu_dev_minor take it apart. */
export function splitDeviceNumber(device: number | bigint): { readonly major: number; readonly minor: number } {
  const wide = BigInt(device);
  return {
    major: Number(((wide >> 8n) & 0xfffn) | ((wide >> 32n) & ~0xfffn)),
    minor: Number((wide & 0xffn) | ((wide >> 12n) & 0xffffff00n)),
  };
}

function missing(error: unknown): undefined {
  if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
  throw error;
}
