/**
 * The few Linux calls Node lacks.
 *
 * Every failed call throws (or rejects with) an Error as Node's own look: `code` ('ENOENT'), `errno` (negative),
 * `syscall` and, where the call had one, `path`. A wrong argument is a TypeError. Every descriptor that is made is
 * close-on-exec; whoever received its number owns it and closes it once.
 */

/** Bits for {@link Poll.watch}. */
export const READABLE: 1;
export const WRITABLE: 2;
/** Told with both others after an error on the descriptor: the watch is off until {@link Poll.watch} is called again. */
export const STOPPED: 16;

/**
 * Tells when a descriptor can be read or written, on Node's event loop, level-triggered.
 *
 * One Poll per descriptor. It does not own the descriptor: close the Poll first, then the descriptor. An open Poll is
 * never collected, so whoever made it must close it. It keeps the process alive while it watches, unless `unref`ed.
 */
export class Poll {
  /**
   * @param callback gets {@link READABLE} and {@link WRITABLE} bits. After an error on the descriptor both are set, and
   * {@link STOPPED}: the next read or write tells what happened.
   * @throws 'EEXIST' while another Poll watches the descriptor, 'EPERM' for a plain file.
   */
  constructor(fd: number, callback: (events: number) => void);
  /** Watches for these bits from now on; 0 rests. @throws 'EBADF' when closed. */
  watch(events: number): void;
  /** No callback comes after this. Idempotent. */
  close(): void;
  unref(): void;
}

/** Reads once. @returns bytes read; 0 at the end; -1 when it would block (only on a non-blocking descriptor). */
export function readDescriptor(fd: number, into: Uint8Array, offset: number, length: number): number;
/** Writes once. @returns bytes taken; -1 when it would block. A terminal or pipe whose reader is gone: 'EIO', 'EPIPE'. */
export function writeDescriptor(fd: number, from: Uint8Array, offset: number, length: number): number;
export function closeDescriptor(fd: number): void;
export function setNonBlocking(fd: number): void;
/** A pipe, both ends blocking. */
export function openPipe(): { readonly read: number; readonly write: number };
/** memfd_create(2): a file without a name that holds these bytes, writable, at its beginning. */
export function openMemoryFile(name: string, content: Uint8Array): number;
/** F_SETPIPE_SZ. @throws 'EPERM' above the user's limit, 'EBUSY' when more is in it. */
export function setPipeSize(fd: number, bytes: number): void;
/** A new pseudo-terminal: its non-blocking master, and the path by which a program opens the other side. */
export function openTerminal(): { readonly fd: number; readonly path: string };
/** TIOCSWINSZ. @throws 'EINVAL' outside 0–65535, 'ENOTTY'. */
export function setWindowSize(fd: number, rows: number, columns: number): void;
/** TIOCGWINSZ. @throws 'ENOTTY'. */
export function getWindowSize(fd: number): { readonly rows: number; readonly columns: number };
/** flock(2), exclusive, without waiting. @returns false when somebody else holds it. Closing the descriptor frees it. */
export function lockDescriptor(fd: number): boolean;

/**
 * Connects a non-blocking SOCK_SEQPACKET socket. Any path whose last segment is at most 80 bytes.
 * @throws 'ENOENT', 'ECONNREFUSED'; 'EAGAIN' when the listener's backlog is full: try again later.
 */
export function connectSeqpacket(path: string): number;
/** As {@link connectSeqpacket}, SOCK_STREAM. */
export function connectStream(path: string): number;
/** Binds and listens, SOCK_SEQPACKET. @throws 'EADDRINUSE'. */
export function listenSeqpacket(path: string): number;
/** Binds and listens, SOCK_STREAM. @throws 'EADDRINUSE'. */
export function listenStream(path: string): number;
/** @returns a non-blocking connection, or -1 when nobody waits. */
export function acceptConnection(fd: number): number;
/** Receives one packet. @returns its length; 0 at the end; -1 when none waits. @throws 'EMSGSIZE' when it did not fit. */
export function receivePacket(fd: number, into: Uint8Array, offset: number, length: number): number;
/** Sends one packet, whole or not at all. @returns its length; -1 when it would block. @throws 'EPIPE', 'EMSGSIZE'. */
export function sendPacket(fd: number, from: Uint8Array, offset: number, length: number): number;
/** Half-close: the other side reads the end. @throws 'ENOTCONN'. */
export function shutdownWrite(fd: number): void;
/**
 * Receives one descriptor (SCM_RIGHTS) and the text sent with it.
 * @returns undefined when nothing waits. @throws 'ECONNRESET' when the sender left without one, 'EPROTO' when there was none in it.
 */
export function receiveDescriptor(fd: number): { readonly fd: number; readonly name: string } | undefined;
/** Sends a descriptor and a text (not empty). The sender keeps its own. @throws 'EAGAIN', 'EPIPE', 'EBADF'. */
export function sendDescriptor(socket: number, fd: number, name: string): void;
/** SO_PEERCRED of a connected Unix socket: the process that called connect(2), at that time. */
export function peerCredentials(fd: number): { readonly pid: number; readonly uid: number; readonly gid: number };

/** pidfd_open(2); readable when the process ended. @throws 'ESRCH' when there is none (a zombie is one). */
export function pidfdOpen(pid: number): number;
/** pidfd_send_signal(2). @throws 'ESRCH' when it ended, 'EINVAL' for a signal that does not exist. */
export function pidfdSendSignal(fd: number, signal: number): void;

/** How a program is set up; nothing else of the engine reaches it: all signals are as the kernel has them, none is blocked. */
export interface SpawnSetting {
  /** `NAME=value` each. */
  readonly env: readonly string[];
  /** Undefined: the engine's own. */
  readonly cwd: string | undefined;
  /** By the program's number: a descriptor of ours, which stays ours, or -1 for the null device. All others are closed. */
  readonly descriptors: readonly number[];
  /** setsid(2). */
  readonly session: boolean;
}
/**
 * Starts a program; the thread waits for execve(2), some hundred microseconds. Linux 5.11.
 *
 * Whoever called owns `pidfd` and calls {@link reapProcess} when it is readable: nobody else collects this child.
 * @param files paths to try in this order, as $PATH would be
 * @param argv the program's arguments, its name first
 * @throws 'ENOENT', 'EACCES', … with the system call that failed ('execve', 'chdir', 'clone', …); nothing is left then.
 */
export function spawnProcess(
  files: readonly string[],
  argv: readonly string[],
  setting: SpawnSetting,
): { readonly pid: number; readonly pidfd: number };
/** Collects an ended child: its exit code, or the signal that ended it. @returns undefined while it runs. @throws 'ECHILD' when it was collected. */
export function reapProcess(pidfd: number): { readonly code: number; readonly signal: number } | undefined;

/** mount(2), on a thread. @throws 'E2BIG' when `options` does not fit in a page; `path` of errors is the target. */
export function mount(source: string, target: string, type: string, flags: number, options: string): Promise<void>;
/** umount2(2), on a thread. @throws 'EINVAL' when nothing is mounted there, 'EBUSY'. */
export function umount2(target: string, flags: number): Promise<void>;

/**
 * A descriptor (O_PATH) of a file on a read-only mount that nobody else sees, gone when it is closed: open_tree(2),
 * mount_setattr(2). Linux 5.12.
 */
export function openReadOnly(path: string): number;

/**
 * Reads a whole file, on a thread, in one visit.
 * @param flags of open(2), more than O_RDONLY and O_CLOEXEC; with O_NONBLOCK anything but a regular file is 'EINVAL'
 * @param root links and `..` of the path end there (openat2, RESOLVE_IN_ROOT)
 * @throws 'EFBIG' when there is more than `bytesMax`.
 */
export function readSmallFile(path: string, bytesMax: number, flags: number, root?: string): Promise<Buffer>;
/**
 * Writes a file from its beginning, on a thread, in one visit.
 * @param flags of open(2), more than O_WRONLY and O_CLOEXEC; with O_EXCL nothing is left when it fails
 * @param sync fsync(2) before it returns
 */
export function writeSmallFile(
  path: string,
  content: Uint8Array,
  mode: number,
  flags: number,
  sync: boolean,
): Promise<void>;
/** mkdir(2) for each, in this order, on a thread, in one visit; there already is success. @throws for the first that fails. */
export function makeDirectories(paths: readonly string[], modes: readonly number[]): Promise<void>;
/**
 * Removes files, or empty directories, on a thread, in one visit. Nothing there is success.
 * @returns the errno of each, 0 for what is gone.
 */
export function removePaths(paths: readonly string[], directories: boolean): Promise<readonly number[]>;
/**
 * Removes a file or a tree, on a thread, without following links; nothing there is success.
 * @param entriesMax removed in this visit at most
 * @returns whether there is more to remove. @throws 'EMFILE' for a tree deeper than 128 directories.
 */
export function removeTreePart(path: string, entriesMax: number): Promise<boolean>;

/** mknod(2). `mode` with the S_IF bits. Paths here are text, or bytes as the file system has them. */
export function makeNode(path: string | Uint8Array, mode: number, major: number, minor: number): void;
/** lsetxattr(2): sets an extended attribute, of a link itself too. */
export function setAttribute(path: string | Uint8Array, name: string, value: Uint8Array): void;
/** lgetxattr(2). @returns undefined when the file has no such attribute. */
export function getAttribute(path: string | Uint8Array, name: string): Buffer | undefined;
/** llistxattr(2): names, each ended by a NUL. */
export function listAttributeNames(path: string | Uint8Array): Buffer;

/**
 * openat2(2) with RESOLVE_NO_MAGICLINKS and the given RESOLVE bits, on a thread. Links and `..` end at `root` with RESOLVE_IN_ROOT (16).
 * @param path bytes as the file system has them, without NUL
 * @throws 'EAGAIN' when renames elsewhere spoilt every one of many tries; 'ELOOP', 'EXDEV' as openat2(2) says.
 */
export function openInRoot(root: number, path: Uint8Array, flags: number, resolve: number): Promise<number>;

/** One mount of a view. Mounted in the order given; `target` is resolved inside the view. */
export interface ViewMount {
  /** 0: bind of the host's `source`. 1: the tmpfs that a running container has at `target`; none there: left out. 2: an empty tmpfs. */
  readonly kind: 0 | 1 | 2;
  /** 1: with what is mounted below it. */
  readonly recursive: 0 | 1;
  /** 1: read-only itself, 2: also what is mounted below it. */
  readonly readOnly: 0 | 1 | 2;
  readonly source: string;
  readonly target: string;
}
/**
 * Makes a mount namespace that holds `root` (a mount of the host) and the mounts on it, and nothing else; nobody runs in it. No mount
 * in it is visible elsewhere, and none lets programs run or devices be opened. It lives until both descriptors are closed. Linux 5.12.
 * @param liveNamespace descriptor of the running container's mount namespace, or -1
 * @returns `root`, an O_PATH descriptor to hand to {@link openInRoot}, and `namespace`, which keeps it alive.
 */
export function openView(
  root: string,
  mounts: readonly ViewMount[],
  liveNamespace: number,
): Promise<{ readonly root: number; readonly namespace: number }>;
