import { lstat, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { EngineError } from '@fairlead/protocol';
import { isErrno } from './errno.ts';
import { makeDirectory, makeLink } from './files.ts';
import { spawnProgram, type Program } from './process.ts';

/** Source: OCI image-spec, layer.md: an entry with this prefix says that a name of the lower layers is gone. */
export const WHITEOUT_PREFIX = '.wh.';

/** What tar may complain about before we stop remembering. */
const COMPLAINT_BYTES_MAX: number = 16 * 1024;

/** Memory of the tar program; a pax header claims gigabytes in a few bytes. Five million entries take less. */
const TAR_MEMORY_KIB: number = 1024 * 1024;

/** One name that find prints, with room: PATH_MAX and a few digits. */
const RECORD_BYTES_MAX = 8192;

/** What an unpacked tar holds. */
export interface UnpackedTar {
  /** Sum of the sizes of everything but directories, as Docker counts a layer; a file with several names counts once. */
  readonly sizeBytes: number;
  /** Files with {@link WHITEOUT_PREFIX}, as paths within the directory, without links on the way. */
  readonly whiteouts: readonly string[];
}

/** A small root directory in which tar sees the host's programs, read-only, and the layer; nothing else. */
export interface UnpackJail {
  readonly path: string;
  /** Directories of the host's root that hold programs and libraries, apart from `/usr`. */
  readonly binds: readonly string[];
}

/**
 * Makes the jail's directories; they are empty but for links, and mounts appear in them only for the tar program itself.
 * @throws an errno error.
 */
export async function makeUnpackJail(path: string): Promise<UnpackJail> {
  for (const name of ['layer', 'old', 'proc', 'usr']) await makeDirectory(join(path, name), 0o700);
  const binds: string[] = [];
  for (const name of ['bin', 'lib', 'lib32', 'lib64', 'libx32', 'sbin']) {
    const stats = await lstat(`/${name}`).catch(missing);
    if (stats?.isSymbolicLink() === true) await makeLink(await readlink(`/${name}`), join(path, name));
    if (stats?.isDirectory() !== true) continue;
    await makeDirectory(join(path, name), 0o700);
    binds.push(name);
  }
  return { path, binds };
}

/**
 * Unpacks an uncompressed tar into an existing directory with GNU tar; not synced to disk; tells what it found there.
 *
 * tar runs in a mount namespace of its own whose root is the jail: whatever an entry is called and wherever a link of
 * the archive points, there is nothing else to write to. `trusted.overlay.*` attributes are left out: they would let a
 * layer speak to overlayfs. After a failure the directory holds part of the archive: the caller removes it.
 *
 * @throws EngineError 'invalid-argument' with tar's words when it is not a tar, is cut short or cannot be made here;
 * 'unavailable' when a program is missing; an error of `source`; `signal.reason` when aborted.
 */
export async function unpackTar(
  target: { readonly jail: UnpackJail; readonly directory: string },
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<UnpackedTar> {
  signal.throwIfAborted();
  await using program = await startTar(target.jail, target.directory);
  const [, stdout, stderr] = program.pipes;
  if (stdout === undefined || stderr === undefined) throw new EngineError('internal', 'tar has no pipes');
  const kill = (): void => program.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  const collected = Promise.all([collectText(stderr), readFindings(stdout)]);
  // Awaited below, unless feeding fails first: then nobody asks any more what tar said.
  collected.catch(() => {});
  try {
    await feed(endOfArchiveIfEmpty(source), program, signal);
    const [words, findings] = await collected;
    const exit = await program.exited;
    if (exit.exitCode !== 0) throw refusal(words, exit.exitCode);
    return findings;
  } catch (error) {
    // A killed tar fails in many ways; the reason is one.
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', kill);
  }
}

// pivot_root and the lazy unmount leave tar nothing of the host's tree, and do not keep other mounts alive meanwhile.
// umount reads /proc/self/mountinfo, so /proc goes last. find runs only when tar was content.
const SCRIPT = `set -e
cd "$1"
mount --bind . .
cd "$1"
mount --bind "$2" layer
mount --bind -o ro /usr usr
mount --bind /proc proc
shift 2
for name in "$@"; do mount --bind -o ro "/$name" "$name"; done
pivot_root . old
umount -l /old /proc
mount -n -c -o remount,bind,ro /
cd /layer
ulimit -v ${TAR_MEMORY_KIB}
tar --extract --file=- --numeric-owner --same-owner --preserve-permissions --delay-directory-restore \
  --xattrs --xattrs-include='*' --xattrs-exclude='trusted.overlay.*' --xattrs-exclude='user.overlay.*' \
  --warning=no-timestamp --warning=no-unknown-keyword
find . -name '${WHITEOUT_PREFIX}*' -printf 'w%P\\0' , ! -type d -links 1 -printf 's%s\\0' , ! -type d -links +1 -printf 'h%i %s\\0'
`;

/** Old images have layers of no bytes at all, and tar asks for two empty blocks. Source: moby, pkg/archive/diff.go, applyLayerHandler. */
async function* endOfArchiveIfEmpty(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let isEmpty = true;
  for await (const chunk of source) {
    isEmpty &&= chunk.byteLength === 0;
    yield chunk;
  }
  if (isEmpty) yield new Uint8Array(1024);
}

async function startTar(jail: UnpackJail, directory: string): Promise<Program> {
  // In a process namespace of its own, whose first process dies with unshare: killing one kills tar, too.
  const namespaces = ['--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child=SIGKILL'];
  const args = [...namespaces, '--', 'sh', '-c', SCRIPT, 'sh', jail.path, directory, ...jail.binds];
  try {
    return await spawnProgram('unshare', args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      // TAR_OPTIONS of the engine's environment must not reach it.
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
    });
  } catch (cause) {
    if (!isErrno(cause, 'ENOENT')) throw cause;
    throw new EngineError('unavailable', 'unshare (util-linux) is needed to unpack layers', { cause });
  }
}

/** Writes everything; a tar that ended early says why by its exit code, so writing just stops then. */
async function feed(source: AsyncIterable<Uint8Array>, program: Program, signal: AbortSignal): Promise<void> {
  const [stdin] = program.pipes;
  const state = { failed: false };
  void program.exited.then(({ exitCode }) => {
    state.failed = exitCode !== 0;
    stdin?.destroy();
  });
  try {
    for await (const chunk of source) {
      signal.throwIfAborted();
      if (state.failed) break;
      // tar is content before the last padding has come; the caller's digest is of all of it.
      if (stdin?.destroyed === false && !stdin.write(chunk)) await drained(stdin);
    }
    stdin?.end();
  } catch (error) {
    program.kill('SIGKILL');
    throw error;
  }
}

/** Resolves when the pipe takes more, or never will. */
async function drained(stdin: Duplex): Promise<void> {
  if (stdin.destroyed) return;
  const turn = Promise.withResolvers<void>();
  stdin.once('drain', turn.resolve);
  stdin.once('close', turn.resolve);
  await turn.promise;
  stdin.off('drain', turn.resolve);
  stdin.off('close', turn.resolve);
}

async function readFindings(stdout: AsyncIterable<Uint8Array>): Promise<UnpackedTar> {
  const whiteouts: string[] = [];
  const linked = new Set<string>();
  let sizeBytes = 0;
  for await (const record of zeroTerminated(stdout)) {
    const text = record.slice(1);
    if (record.startsWith('w')) whiteouts.push(text);
    else if (record.startsWith('s')) sizeBytes += Number(text);
    else if (!linked.has(text)) {
      linked.add(text);
      sizeBytes += Number(text.slice(text.indexOf(' ') + 1));
    }
  }
  return { sizeBytes, whiteouts };
}

async function* zeroTerminated(source: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of source) {
    let bytes = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    for (let end = bytes.indexOf(0); end >= 0; end = bytes.indexOf(0)) {
      yield bytes.subarray(0, end).toString('utf8');
      bytes = bytes.subarray(end + 1);
    }
    if (bytes.length > RECORD_BYTES_MAX) throw new EngineError('internal', 'find printed a name without an end');
    rest = bytes;
  }
}

async function collectText(stream: AsyncIterable<Uint8Array>): Promise<string> {
  let text = '';
  for await (const chunk of stream) {
    if (text.length < COMPLAINT_BYTES_MAX) text += Buffer.from(chunk).toString('utf8');
  }
  return text;
}

// GNU tar 1.34 (gnulib's strerror texts under LC_ALL=C), dash: what is the host's fault and not the archive's.
const HOST_FAULTS: readonly { readonly pattern: RegExp; readonly kind: 'internal' | 'unavailable' }[] = [
  { pattern: /No space left on device|Disk quota exceeded|Input\/output error/, kind: 'internal' },
  { pattern: /^(unshare|mount|pivot_root|umount|sh): /m, kind: 'unavailable' },
  { pattern: /unrecognized option/, kind: 'unavailable' },
];

function refusal(complaint: string, exitCode: number): EngineError {
  const lines = complaint.split('\n').map((line) => line.replace(/^tar: /, '').trim());
  const first =
    lines.find((line) => line !== '' && !line.startsWith('Removing leading')) ?? `tar ended with ${exitCode}`;
  const kind = HOST_FAULTS.find(({ pattern }) => pattern.test(complaint))?.kind ?? 'invalid-argument';
  return new EngineError(kind, `cannot unpack layer: ${first}`, { details: { complaint, exitCode } });
}

function missing(error: unknown): undefined {
  if (!isErrno(error, 'ENOENT')) throw error;
}
