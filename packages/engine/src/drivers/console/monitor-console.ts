import type { ContainerId } from '@fairlead/protocol';
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
import { connectPackets } from '../../host/sockets.ts';
import { monitorGone, sendResize } from './monitor-control.ts';

/** What the monitor reads at once, after a byte that names the stream. Source: native/programs/container-keeper/output.c, READ_MAX. */
const PACKET_BYTES_MAX: number = 32 * 1024 + 1;
/** The monitor takes 64 KiB per packet; a socket has room for a few of this size. */
const INPUT_PACKET_BYTES_MAX: number = 16 * 1024;
/** How long a monitor whose backlog is full is asked again. It empties it in each turn of its loop. */
const ATTACH_TIMEOUT_MS = 5_000;

/** First byte of a packet. */
const STREAM_BY_BYTE: Readonly<Record<number, OutputStream>> = { 2: 'stdout', 3: 'stderr' };

export interface MonitorConsoleDeps {
  /** The directory the monitor was started on. */
  readonly bundleDir: (id: ContainerId) => string;
}

/** The stdio of containers: the sockets of their monitors, and their control FIFOs. */
export class MonitorConsole implements Console {
  readonly #deps: MonitorConsoleDeps;

  constructor(deps: MonitorConsoleDeps) {
    this.#deps = deps;
  }

  /** @throws EngineError 'not-found' when the monitor is gone. */
  async attach(id: ContainerId, options: AttachOptions = {}): Promise<ConsoleConnection> {
    const outputOnly = options.outputOnly === true;
    const path = `${this.#deps.bundleDir(id)}/${outputOnly ? 'watch' : 'attach'}`;
    try {
      const signal = AbortSignal.timeout(ATTACH_TIMEOUT_MS);
      return connectionOf(await connectPackets(path, PACKET_BYTES_MAX, signal), outputOnly);
    } catch (cause) {
      if (isErrno(cause, 'ENOENT', 'ENOTDIR', 'ECONNREFUSED')) throw monitorGone(id, cause);
      throw cause;
    }
  }

  async resize(id: ContainerId, size: TerminalSize): Promise<void> {
    await sendResize(id, this.#deps.bundleDir(id), size);
  }
}

function connectionOf(packets: DescriptorStream, outputOnly: boolean): ConsoleConnection {
  return {
    output: { [Symbol.asyncIterator]: () => readOutput(packets) },
    write: async (bytes) => {
      if (!outputOnly) await writeInput(packets, bytes);
    },
    endInput: async () => {
      if (!outputOnly) endInput(packets);
    },
    [Symbol.asyncDispose]: async () => packets.close(),
  };
}

function readOutput(packets: DescriptorStream): AsyncIterator<OutputChunk, undefined> {
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
      packets.close();
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
