import { constants, fstat, type BigIntStats } from 'node:fs';
import { chmod, chown, lstat, mkdir, open, readdir, readlink, utimes } from 'node:fs/promises';
import { promisify } from 'node:util';
import { EngineError } from '@fairlead/protocol';
import { bytePath, type BytePath, pathBytes } from '@fairlead/protocol/tar';
import { isErrno } from './errno.ts';
import { closeDescriptor, openInRoot, openView } from './native.ts';
import { processPresence, type HostProcess } from './proc.ts';

/** Source: linux/openat2.h. */
const RESOLVE_NO_SYMLINKS = 0x04;
const RESOLVE_BENEATH = 0x08;
const RESOLVE_IN_ROOT = 0x10;

/** Source: asm-generic/fcntl.h; Node does not name it. */
const O_PATH = 0o10_000_000;
const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

/** What the kernel says about a file, with exact times and numbers. */
export type FileStats = BigIntStats;

/** Something to be seen in a {@link RootedTree} at a place of its own; made in the order given. */
export type TreeMount =
  | {
      readonly kind: 'bind';
      /** Absolute path on the host. */
      readonly source: string;
      readonly target: string;
      /** With what is mounted below the source. */
      readonly recursive: boolean;
      readonly readOnly: 'no' | 'itself' | 'all-below';
    }
  /** The tmpfs that the running process has mounted there; left out when it has none. */
  | { readonly kind: 'live-tmpfs'; readonly target: string }
  /** An empty one that cannot be written to. */
  | { readonly kind: 'empty-tmpfs'; readonly target: string };

/**
 * A file tree that no path leads out of: links and `..` end at its root, and whoever renames and relinks in it meanwhile changes nothing
 * about that, because the kernel resolves (openat2, RESOLVE_IN_ROOT), not we.
 *
 * It is a mount namespace of its own in which nobody runs: its mounts are seen nowhere else and are gone when it is disposed, or
 * when the engine dies. Devices in it cannot be opened. Everything in it is addressed by an open directory and one name.
 */
export class RootedTree implements Disposable {
  readonly #root: number;
  readonly #namespace: number;
  #open = true;

  private constructor(descriptors: { readonly root: number; readonly namespace: number }) {
    this.#root = descriptors.root;
    this.#namespace = descriptors.namespace;
  }

  /**
   * Opens a directory of the host as a root, with mounts on it whose targets exist in it.
   * @param live whose mounts `live-tmpfs` means @throws an errno error; `path` is the source or the target it is about.
   */
  static async open(root: string, mounts: readonly TreeMount[] = [], live?: HostProcess): Promise<RootedTree> {
    const wantsLive = live !== undefined && mounts.some(({ kind }) => kind === 'live-tmpfs');
    await using namespace = wantsLive ? await mountNamespace(live) : undefined;
    return new RootedTree(await openView(root, mounts.map(viewMount), namespace?.fd ?? -1));
  }

  /**
   * Finds something by its path; the last component is followed only if it ends in a slash, or `follow` says so.
   * @throws an errno error: 'ENOENT', 'ENOTDIR', 'ELOOP'.
   */
  async find(path: BytePath, how: { readonly follow: boolean } = { follow: false }): Promise<Place> {
    this.#assertOpen();
    const flags = O_PATH | (how.follow ? 0 : O_NOFOLLOW);
    return new Place(await openInRoot(this.#root, pathBytes(path), flags, RESOLVE_IN_ROOT));
  }

  /** Finds a directory, through links. @throws an errno error: 'ENOENT', 'ENOTDIR'. */
  async findDirectory(path: BytePath): Promise<Place> {
    this.#assertOpen();
    return new Place(await openInRoot(this.#root, pathBytes(path), O_PATH | O_DIRECTORY, RESOLVE_IN_ROOT));
  }

  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    closeDescriptor(this.#root);
    closeDescriptor(this.#namespace);
  }

  /** A number that was closed may be somebody else's by now. */
  #assertOpen(): void {
    if (!this.#open) throw new EngineError('internal', 'the file tree was closed');
  }
}

/** Something in a {@link RootedTree}, held open: it stays this very thing, whatever its name means by now. */
export class Place implements Disposable {
  readonly #fd: number;
  #open = true;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Leads the kernel to this very thing, through links: for calls that act on it. Valid until disposed. */
  get path(): string {
    if (!this.#open) throw new EngineError('internal', 'the place was closed');
    return `/proc/self/fd/${this.#fd}`;
  }

  /**
   * One name in this directory, for calls that do not follow links.
   * @throws EngineError 'internal' for what is not one name: a bug, as every name is cut out of a path first.
   */
  child(name: BytePath): Buffer {
    if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name))
      throw new EngineError('internal', 'not a name in a directory');
    return Buffer.concat([Buffer.from(`${this.path}/`), pathBytes(name)]);
  }

  async stats(): Promise<BigIntStats> {
    void this.path;
    return await descriptorStats(this.#fd, { bigint: true });
  }

  /** Of a name in this directory, links themselves; undefined when there is none. */
  async childStats(name: BytePath): Promise<BigIntStats | undefined> {
    return await lstat(this.child(name), { bigint: true }).catch(missing);
  }

  async readLink(name: BytePath): Promise<BytePath> {
    return bytePath(await readlink(this.child(name), { encoding: 'buffer' }));
  }

  /** Names in this directory, in the order of their bytes. */
  async names(): Promise<readonly BytePath[]> {
    const names = await readdir(Buffer.from(this.path), { encoding: 'buffer' });
    return names.map(bytePath).toSorted(byBytes);
  }

  /** A directory below this one, by a path on which there is no link. @throws an errno error: 'ELOOP' for a link, 'ENOENT', 'ENOTDIR'. */
  async below(path: BytePath): Promise<Place> {
    void this.path;
    const flags = O_PATH | O_DIRECTORY | O_NOFOLLOW;
    const place = path === '' ? '.' : path;
    return new Place(await openInRoot(this.#fd, pathBytes(place), flags, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS));
  }

  /** A name of this directory, a link itself. @throws an errno error: 'ENOENT'. */
  async at(name: BytePath): Promise<Place> {
    this.child(name);
    return new Place(await openInRoot(this.#fd, pathBytes(name), O_PATH | O_NOFOLLOW, RESOLVE_BENEATH));
  }

  /**
   * Where it is now, from the tree's root: for words and for comparing with mounts, not to be opened.
   */
  async whereabouts(): Promise<BytePath> {
    return bytePath(await readlink(this.path, { encoding: 'buffer' }));
  }

  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    closeDescriptor(this.#fd);
  }
}

/** For reading a regular file: links are not followed, and a FIFO put in its place does not hold us. */
export const READ_FLAGS: number = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;

/** Makes the directories of a path that are not there, through links. @returns the last one. @throws an errno error. */
export async function ensureDirectory(tree: RootedTree, parts: readonly BytePath[], mode: number): Promise<Place> {
  const path = `/${parts.join('/')}`;
  try {
    return await tree.findDirectory(path);
  } catch (error) {
    const name = parts.at(-1);
    if (!isErrno(error, 'ENOENT') || name === undefined) throw error;
    using parent = await ensureDirectory(tree, parts.slice(0, -1), mode);
    await makeOwnDirectory(parent, name, mode);
    return await tree.findDirectory(path);
  }
}

/** Makes an empty file and the directories above it, unless there is something. @throws an errno error. */
export async function ensureFile(tree: RootedTree, parts: readonly BytePath[], mode: number): Promise<void> {
  const name = parts.at(-1);
  if (name === undefined) return;
  using parent = await ensureDirectory(tree, parts.slice(0, -1), mode);
  const file = await open(parent.child(name), 'wx', mode).catch(there);
  await file?.close();
}

function there(error: unknown): undefined {
  if (!isErrno(error, 'EEXIST')) throw error;
}

/** Owner root, whatever the umask says about the mode. Somebody else's of the same name is success. */
async function makeOwnDirectory(parent: Place, name: BytePath, mode: number): Promise<void> {
  try {
    await mkdir(parent.child(name), mode);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
    return;
  }
  using made = await parent.below(name);
  await chmod(made.path, mode);
}

/** What a directory or file shall look like from outside. */
export interface Appearance {
  readonly uid: number;
  readonly gid: number;
  /** Permission bits with setuid, setgid, sticky. */
  readonly mode: number;
}

/** Sets owner, then mode: a change of owner takes setuid away. Not for links. */
export async function applyAppearance(place: Place, { uid, gid, mode }: Appearance): Promise<void> {
  // The path is a link of /proc that the kernel follows to the thing itself.
  await chown(place.path, uid, gid);
  await chmod(place.path, mode);
}

/** Sets access and modification time. Not for links. */
export async function applyTimes(place: Place, accessedAt: Date, modifiedAt: Date): Promise<void> {
  await utimes(place.path, accessedAt, modifiedAt);
}

const descriptorStats = promisify<number, { readonly bigint: true }, BigIntStats>(fstat);

function viewMount(mount: TreeMount): Parameters<typeof openView>[1][number] {
  switch (mount.kind) {
    case 'bind': {
      const { source, target, recursive, readOnly } = mount;
      return { kind: 0, source, target, recursive: recursive ? 1 : 0, readOnly: READ_ONLY_DEPTH[readOnly] };
    }
    case 'live-tmpfs':
      return { kind: 1, source: '', target: mount.target, recursive: 0, readOnly: 0 };
    case 'empty-tmpfs':
      return { kind: 2, source: '', target: mount.target, recursive: 0, readOnly: 1 };
    default:
      return mount satisfies never;
  }
}

const READ_ONLY_DEPTH = { no: 0, itself: 1, 'all-below': 2 } as const;

/** The process's mount namespace; undefined when it ended. Compared after it was opened, so that a reused pid is noticed. */
async function mountNamespace(process: HostProcess): Promise<({ readonly fd: number } & AsyncDisposable) | undefined> {
  const file = await open(`/proc/${process.pid}/ns/mnt`, 'r').catch(missing);
  if (file === undefined || processPresence(process) === 'running') return file;
  await file.close();
  return undefined;
}

function byBytes(one: BytePath, other: BytePath): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function missing(error: unknown): undefined {
  if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw error;
}
