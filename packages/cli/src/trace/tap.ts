import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { EndKind, Side } from './trace-event.ts';

/** Hears what goes through a tap. Nothing it does changes what goes through. */
export interface TapListener {
  bytes(side: Side, bytes: Uint8Array): void;
  ended(side: Side, how: EndKind): void;
}

/** One of the two connections. Both are made with `allowHalfOpen`. */
export interface TapEnd {
  readonly socket: Duplex;
  /** A unix socket can be asked whether its peer is gone. */
  readonly unix: boolean;
}

/** Whether a side that sends no more is gone meanwhile is looked at this often. Nobody waits for it. */
const GONE_POLL_MS = 50;
/** How long a TCP peer that is gone may take to say so, once it is sent something. Clients are on this machine. */
const RESET_WITHIN_MS = 20;
/** How long what is still to be written may take before a reset is passed on. */
const FLUSH_WITHIN_MS = 1000;

/**
 * Lets bytes through between two open connections until both are closed: the same bytes in the same order, half-close as half-close,
 * reset as reset where the kernel lets us, and whoever does not read stops whoever writes.
 */
export async function tap(client: TapEnd, engine: TapEnd, listener: TapListener): Promise<void> {
  // What fails is told to whoever reads or writes; without a listener it would end the process.
  for (const { socket } of [client, engine]) socket.on('error', () => {});
  await Promise.all([
    pass({ side: 'client', from: client, to: engine, listener }),
    pass({ side: 'engine', from: engine, to: client, listener }),
  ]);
  await Promise.all([closed(client.socket), closed(engine.socket)]);
}

interface Direction {
  readonly side: Side;
  readonly from: TapEnd;
  readonly to: TapEnd;
  readonly listener: TapListener;
}

async function pass(direction: Direction): Promise<void> {
  const { side, from, listener } = direction;
  const to = direction.to.socket;
  try {
    for await (const chunk of chunksOf(from.socket)) {
      const more = to.destroyed || to.write(chunk);
      listener.bytes(side, chunk);
      if (!more) await drained(to);
    }
  } catch {
    return await passBreak(direction);
  }
  await passEnd(direction);
}

/** The side sends no more. Over a unix socket it can be told whether it still reads; over TCP only the next write does. */
async function passEnd(direction: Direction): Promise<void> {
  const { side, from, to, listener } = direction;
  if (!from.unix) listener.ended(side, 'fin');
  else if (await isGone(from.socket)) return await passBreak(direction);
  else listener.ended(side, 'half-close');
  if (!to.unix && to.socket.readableEnded) await pokeGone(to.socket);
  to.socket.end();
  if (from.unix) await untilGone(from.socket);
  else await closed(from.socket);
  await passBreak(direction);
}

/** The side is gone, unless the other direction took it down. What it sent before goes first. */
async function passBreak({ side, from, to, listener }: Direction): Promise<void> {
  const error = from.socket.errored;
  if (error === null) {
    // Ended in good order on both sides, or taken down by the other direction, which has told why.
    if (from.socket.destroyed && !from.socket.writableFinished) to.socket.destroy();
    return;
  }
  const isReset = !('code' in error && error.code === 'EPIPE' && from.unix);
  listener.ended(side, isReset ? 'reset' : 'close');
  await (isReset ? flushed(to.socket) : finished(to.socket));
  const { socket } = to;
  if (isReset && socket instanceof Socket && !to.unix && !socket.destroyed) socket.resetAndDestroy();
  else socket.destroy();
}

/** Polls until the side is gone, or the connection is over otherwise. */
async function untilGone(socket: Duplex): Promise<void> {
  while (!socket.destroyed && !socket.writableEnded) {
    await new Promise((resolve) => setTimeout(resolve, GONE_POLL_MS));
    if (await isGone(socket)) return;
  }
}

/**
 * Asks the kernel by writing nothing: a unix socket whose peer is closed answers EPIPE even so, and one whose peer only half-closed does
 * not. Source: Linux net/unix/af_unix.c, unix_stream_sendmsg looks at SEND_SHUTDOWN before it looks at the length.
 */
async function isGone(socket: Duplex): Promise<boolean> {
  // Behind what is not yet written nothing can be asked; that write will tell.
  if (socket.destroyed || socket.writableEnded || socket.writableLength > 0) return socket.errored !== null;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  socket.write('', (error) => resolve(error !== null && error !== undefined));
  return (await promise) && socket.errored !== null;
}

/** A TCP peer that is gone answers what it was sent last with a reset; the next write, of nothing, is told. After the end nobody would be. */
async function pokeGone(socket: Duplex): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, RESET_WITHIN_MS));
  await isGone(socket);
}

async function drained(to: Duplex): Promise<void> {
  if (!to.destroyed && to.writableNeedDrain) await settled(to, ['drain', 'close']);
}

/** What was written is with the kernel, or will never be. */
async function flushed(to: Duplex): Promise<void> {
  if (to.destroyed || to.writableLength === 0) return;
  const late = setTimeout(() => to.destroy(), FLUSH_WITHIN_MS);
  await settled(to, ['drain', 'close']);
  clearTimeout(late);
}

async function finished(to: Duplex): Promise<void> {
  if (!to.writableEnded) to.end();
  if (!to.destroyed && !to.writableFinished) await settled(to, ['finish', 'close']);
}

async function closed(socket: Duplex): Promise<void> {
  if (!socket.closed) await settled(socket, ['close']);
}

/** Resolves at the first of the events, and leaves no listener behind. */
async function settled(stream: Duplex, events: readonly string[]): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = (): void => resolve();
  for (const event of events) stream.once(event, done);
  await promise;
  for (const event of events) stream.off(event, done);
}

/** A stream's chunks with their type: Node's own iterator gives `any`. */
function chunksOf(stream: Duplex): AsyncIterable<Uint8Array> {
  return stream;
}
