import { constants } from 'node:fs';
import { chown, lstat, readFile, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { EngineError } from '@fairlead/protocol';
import { isErrno } from './errno.ts';
import { makeDirectory } from './files.ts';

/** Group whose members may use the engine. Source: Docker. */
const SOCKET_GROUP = 'docker';
/** Leaves 0660: whoever can connect is root, so nobody but the owner and the group. */
const SOCKET_UMASK = 0o117;
/** sizeof(sockaddr_un.sun_path) without the terminating zero. Source: unix(7). */
const SOCKET_PATH_BYTES_MAX = 107;

/**
 * Makes way for a socket: its directory exists, and a socket that nobody listens on any more is removed.
 *
 * @throws EngineError 'conflict' when somebody listens there, or when it is not a socket; 'invalid-argument' when the path is too long.
 */
export async function claimSocketPath(path: string): Promise<void> {
  if (Buffer.byteLength(path) > SOCKET_PATH_BYTES_MAX) {
    throw new EngineError('invalid-argument', `socket path ${path} is longer than ${SOCKET_PATH_BYTES_MAX} bytes`);
  }
  await makeDirectory(dirname(path));
  const found = await fileTypeOf(path);
  if (found === undefined) return;
  if (found !== constants.S_IFSOCK) throw new EngineError('conflict', `${path} exists and is not a socket`);
  if (await isListening(path)) throw new EngineError('conflict', `another engine is listening on ${path}`);
  await unlink(path);
}

/** Runs `bind`, which must bind before it returns, so that the socket is never open to more than its owner and group. */
export function bindSocket(bind: () => void): void {
  const before = process.umask(SOCKET_UMASK);
  try {
    bind();
  } finally {
    process.umask(before);
  }
}

/** Gives a socket to the group `docker`, if this host has one and lets us. */
export async function shareSocket(path: string): Promise<void> {
  const gid = groupId(await readFile('/etc/group', 'utf8').catch(() => ''), SOCKET_GROUP);
  if (gid === undefined || process.getuid?.() !== 0) return;
  await chown(path, 0, gid);
}

/** @returns the number of a group in the text of /etc/group. */
export function groupId(groups: string, name: string): number | undefined {
  for (const line of groups.split('\n')) {
    const [group, , gid] = line.split(':');
    if (group === name && gid !== undefined && /^[0-9]+$/.test(gid)) return Number(gid);
  }
  return undefined;
}

async function fileTypeOf(path: string): Promise<number | undefined> {
  try {
    return (await lstat(path)).mode & constants.S_IFMT;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function isListening(path: string): Promise<boolean> {
  const answer = Promise.withResolvers<boolean>();
  const socket = connect(path);
  socket.once('connect', () => answer.resolve(true));
  // A full backlog (EAGAIN) has a listener as well.
  socket.once('error', (error) => answer.resolve(!isErrno(error, 'ECONNREFUSED', 'ENOENT')));
  try {
    return await answer.promise;
  } finally {
    socket.destroy();
  }
}
