import type { ContainerId } from '@fairlead/protocol';
import type { Clock } from '../../core/ports/clock.ts';
import type {
  AttachOptions,
  Console,
  ConsoleConnection,
  OutputChunk,
  OutputStream,
  TerminalSize,
} from '../../core/ports/console.ts';
import { DescriptorClosedError, type DescriptorStream } from '../../host/descriptor-stream.ts';
import { isErrno } from '../../host/errno.ts';
import { connectPackets, refusePackets } from '../../host/sockets.ts';
import { monitorGone, sendResize } from './monitor-control.ts';
import { StallWatch } from './stall-watch.ts';

/** conmon sends at most one read (8 KiB, 32 KiB in newer ones) after a byte that names the stream. Source: conmon src/config.h. */
const PACKET_BYTES_MAX: number = 32 * 1024 + 1;
/** conmon takes 32 KiB − 1 per packet and cuts the rest off without a word. Source: conmon src/conn_sock.c. */
const INPUT_PACKET_BYTES_MAX: number = 16 * 1024;
/** How long a monitor whose backlog of ten is full is asked again. It accepts one in each turn of its loop. */
const ATTACH_TIMEOUT_MS = 5_000;

/** First byte of a packet. Source: conmon src/utils.h, stdpipe_t. */
const STREAM_BY_BYTE: Readonly<Record<number, OutputStream>> = { 2: 'stdout', 3: 'stderr' };

export interface ConmonConsoleDeps {
  readonly clock: Clock;
  /** The directory conmon was started on (`--bundle`, with `--full-attach`). */
  readonly bundleDir: (id: ContainerId) => string;
  /** Calls back once when the container's first process has ended, at once if it has; a zombie counts as ended. */
  readonly onProcessEnd: (id: ContainerId, callback: () => void) => Disposable;
}

/** The stdio of containers whose monitor is conmon: its attach socket and its control FIFO. */
export class ConmonConsole implements Console {
  readonly #deps: ConmonConsoleDeps;

  constructor(deps: ConmonConsoleDeps) {
    this.#deps = deps;
  }

  /** @throws EngineError 'not-found' when the monitor is gone. */
  async attach(id: ContainerId, options: AttachOptions = {}): Promise<ConsoleConnection> {
    const watch = new StallWatch(this.#deps, id);
    const path = `${this.#deps.bundleDir(id)}/attach`;
    try {
      const signal = AbortSignal.timeout(ATTACH_TIMEOUT_MS);
      const packets = await connectPackets(path, { packetBytesMax: PACKET_BYTES_MAX, hooks: watch }, signal);
      watch.guard(packets);
      return this.#connection(id, packets, options.outputOnly === true);
    } catch (cause) {
      if (isErrno(cause, 'ENOENT', 'ENOTDIR', 'ECONNREFUSED')) throw monitorGone(id, cause);
      throw cause;
    }
  }

  async resize(id: ContainerId, size: TerminalSize): Promise<void> {
    await sendResize(id, this.#deps.bundleDir(id), size);
  }

  #connection(id: ContainerId, packets: DescriptorStream, outputOnly: boolean): ConsoleConnection {
    const close = async (): Promise<void> => {
      if (outputOnly) this.#park(id, packets);
      else packets.close();
    };
    return {
      output: { [Symbol.asyncIterator]: () => readOutput(packets, close) },
      write: async (bytes) => {
        if (!outputOnly) await writeInput(packets, bytes);
      },
      endInput: async () => {
        if (!outputOnly) endInput(packets);
      },
      [Symbol.asyncDispose]: close,
    };
  }

  /**
   * conmon takes any attacher's hang-up for the end of the container's input (with StdinOnce). One that only watched
   * therefore stays connected, deaf, until the container's process has ended.
   */
  #park(id: ContainerId, packets: DescriptorStream): void {
    if (packets.closed || packets.ended) return packets.close();
    refusePackets(packets);
    packets.stopReading();
    this.#deps.onProcessEnd(id, () => packets.close());
  }
}

function readOutput(packets: DescriptorStream, close: () => Promise<void>): AsyncIterator<OutputChunk, undefined> {
  const source = packets[Symbol.asyncIterator]();
  return {
    async next() {
      for (;;) {
        const { done, value: packet } = await source.next();
        if (done === true) return { done, value: undefined };
        const stream = STREAM_BY_BYTE[packet[0] ?? 0];
        if (stream !== undefined) return { done: false, value: { stream, bytes: packet.subarray(1) } };
      }
    },
    async return() {
      await close();
      return { done: true, value: undefined };
    },
  };
}

async function writeInput(packets: DescriptorStream, bytes: Uint8Array): Promise<void> {
  try {
    for (let at = 0; at < bytes.length; at += INPUT_PACKET_BYTES_MAX) {
      await packets.write(bytes.subarray(at, at + INPUT_PACKET_BYTES_MAX));
    }
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

function endInput(packets: DescriptorStream): void {
  try {
    packets.endWrite();
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

/** The process, or this connection, has ended: input for it is swallowed. */
function isGone(error: unknown): boolean {
  return error instanceof DescriptorClosedError || isErrno(error, 'EPIPE', 'ECONNRESET', 'ENOTCONN');
}
