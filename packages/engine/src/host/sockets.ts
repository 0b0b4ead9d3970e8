import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { isErrno } from './errno.ts';
import { atCheckpoint } from './fault-points.ts';
import { DescriptorStream } from './descriptor-stream.ts';
import {
  connectSeqpacket,
  peerCredentials,
  receivePacket,
  sendPacket,
  setNonBlocking,
  shutdownWrite,
} from './native.ts';

/** How long a listener whose backlog is full is asked again, and how often. */
const CONNECT_RETRY_MS = 5;

/** Who is on the other side of a Unix socket. */
export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/**
 * The process that connected to us, as it was then.
 * @returns undefined for a connection that is no Unix socket, or is closed.
 */
export function readPeerCredentials(socket: Socket): PeerCredentials | undefined {
  const fd = descriptorOf(socket);
  if (fd === undefined) return undefined;
  try {
    const peer = peerCredentials(fd);
    // A TCP socket answers too, with nobody.
    return peer.pid > 0 ? peer : undefined;
  } catch (error) {
    if (isErrno(error)) return undefined;
    throw error;
  }
}

/** Node has no public way to a socket's descriptor; `_handle.fd` has been there since 0.x and is undefined once closed. */
function descriptorOf(socket: Socket): number | undefined {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle !== 'object' || handle === null) return undefined;
  const fd: unknown = Reflect.get(handle, 'fd');
  return typeof fd === 'number' && fd >= 0 ? fd : undefined;
}

/**
 * Connects to a SOCK_SEQPACKET socket of any path length. One chunk of the stream is one packet.
 *
 * @param packetBytesMax longer packets from the other side are an error ('EMSGSIZE').
 * @throws an errno error: 'ENOENT', 'ECONNREFUSED'; `signal.reason` when aborted while the listener's backlog is full.
 */
export async function connectPackets(
  path: string,
  packetBytesMax: number,
  signal: AbortSignal,
): Promise<DescriptorStream> {
  for (;;) {
    signal.throwIfAborted();
    try {
      return atCheckpoint('sockets.connect', () => packetStream(connectSeqpacket(path), packetBytesMax));
    } catch (error) {
      if (!isErrno(error, 'EAGAIN')) throw error;
    }
    await delay(CONNECT_RETRY_MS, undefined, { signal });
  }
}

/** Takes over a connected SOCK_SEQPACKET descriptor. */
export function packetStream(fd: number, packetBytesMax: number): DescriptorStream {
  const calls = {
    readBytesMax: packetBytesMax,
    read: (into: Uint8Array, offset: number, length: number) => receiveBuffered(fd, into, { offset, length }),
    write: (from: Uint8Array, offset: number, length: number) => sendPacket(fd, from, offset, length),
    endWrite: () => shutdownWrite(fd),
  };
  setNonBlocking(fd);
  return new DescriptorStream(fd, calls);
}

/**
 * Receives one packet. A side that closes with unread input makes our next call fail once, but what it sent before is
 * still there: the error only says that some of our input was not read.
 */
function receiveBuffered(
  fd: number,
  into: Uint8Array,
  at: { readonly offset: number; readonly length: number },
): number {
  try {
    return receivePacket(fd, into, at.offset, at.length);
  } catch (error) {
    if (!isErrno(error, 'ECONNRESET')) throw error;
    return receivePacket(fd, into, at.offset, at.length);
  }
}
