import { closeDescriptor, Poll, READABLE, STOPPED, WRITABLE } from './native.ts';

/** Most that is read ahead of a slow reader; then the descriptor rests. Source: Docker keeps 1 MB per attacher. */
export const HELD_BYTES_MAX: number = 1024 * 1024;

/** What a chunk counts for besides its bytes, so that a million one-byte packets are not a million objects. */
const CHUNK_OVERHEAD_BYTES = 256;
/** Most that is taken per turn of the event loop, so that one loud process does not keep the others waiting. */
const TURN_BYTES_MAX: number = 256 * 1024;
const TURN_READS_MAX = 64;
/** Reads go into slabs of this size, one allocation for many small packets. */
const SLAB_BYTES: number = 64 * 1024;
/** What the calls of {@link DescriptorCalls} say when there is nothing to read or no room to write. */
const WOULD_BLOCK = -1;

/** How a non-blocking descriptor is read and written. Each call throws an errno error, or returns -1 when it would block. */
export interface DescriptorCalls {
  /** Room a single read needs; never more is read at once. */
  readonly readBytesMax: number;
  /** @returns bytes read; 0 at the end. */
  read(into: Uint8Array, offset: number, length: number): number;
  /** @returns bytes taken. */
  write(from: Uint8Array, offset: number, length: number): number;
  /** Half-close; undefined when the descriptor has none. */
  readonly endWrite: (() => void) | undefined;
}

/** The stream was closed by us while a write still waited. */
export class DescriptorClosedError extends Error {
  override readonly name = 'DescriptorClosedError';
}

interface PendingWrite {
  readonly bytes: Uint8Array;
  offset: number;
  readonly done: PromiseWithResolvers<void>;
}

/**
 * A descriptor as a two-way stream: pulled on the way in, awaited on the way out. Owns the descriptor.
 *
 * Reads ahead of its reader by at most {@link HELD_BYTES_MAX}. One reader at a time; breaking off the iteration closes
 * the stream. Runs on the event loop, without threads.
 */
export class DescriptorStream implements AsyncIterable<Uint8Array>, AsyncDisposable {
  readonly fd: number;
  readonly #calls: DescriptorCalls;
  readonly #poll: Poll;
  readonly #slabBytes: number;
  #slab: Uint8Array = new Uint8Array(0);
  #slabOffset = 0;
  #chunks: Uint8Array[] = [];
  #nextChunk = 0;
  #heldBytes = 0;
  #reader: PromiseWithResolvers<IteratorResult<Uint8Array, undefined>> | undefined;
  #reading: 'on' | 'resting' | 'ended' = 'on';
  #readError: unknown;
  readonly #writes: PendingWrite[] = [];
  #endAsked = false;
  #watched = 0;
  #closed = false;

  /** Reading starts at once. `fd` must be non-blocking; it is closed when polling it fails. */
  constructor(fd: number, calls: DescriptorCalls) {
    this.fd = fd;
    this.#calls = calls;
    this.#slabBytes = Math.max(SLAB_BYTES, 4 * calls.readBytesMax);
    try {
      this.#poll = new Poll(fd, (events) => this.#onEvents(events));
    } catch (error) {
      closeDescriptor(fd);
      throw error;
    }
    this.#watch();
  }

  /** Its descriptor is freed. */
  get closed(): boolean {
    return this.#closed;
  }

  /** The other side will send no more, or failed; what it sent before may still wait to be read. */
  get ended(): boolean {
    return this.#reading === 'ended';
  }

  /** Resolves when the kernel took all of it, in the order of the calls. @throws an errno error; DescriptorClosedError. */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#closed) throw new DescriptorClosedError('write after close');
    if (bytes.length === 0) return;
    const write: PendingWrite = { bytes, offset: 0, done: Promise.withResolvers() };
    this.#writes.push(write);
    if (this.#writes.length === 1) this.#flush();
    this.#watch();
    await write.done.promise;
  }

  /** Throws away what waits to be read and reads no more; the reader sees the end. Writing goes on. */
  stopReading(): void {
    this.#chunks = [];
    this.#nextChunk = 0;
    this.#heldBytes = 0;
    this.#readError = undefined;
    this.#endReading();
    this.#watch();
  }

  /** Half-close after everything written so far. Idempotent; nothing happens when the descriptor has no half-close. */
  endWrite(): void {
    if (this.#closed || this.#endAsked) return;
    this.#endAsked = true;
    this.#flush();
  }

  /** Frees the descriptor. The reader sees the end; waiting writes are refused with DescriptorClosedError. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.stopReading();
    this.#poll.close();
    closeDescriptor(this.fd);
    for (const write of this.#writes.splice(0)) write.done.reject(new DescriptorClosedError('closed while writing'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return {
      next: () => this.#next(),
      return: async () => {
        this.close();
        return { done: true, value: undefined };
      },
    };
  }

  #next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const chunk = this.#chunks[this.#nextChunk];
    if (chunk !== undefined) {
      this.#took(chunk);
      return Promise.resolve({ done: false, value: chunk });
    }
    if (this.#readError !== undefined) {
      const error = this.#readError;
      this.#readError = undefined;
      return Promise.reject(error);
    }
    if (this.#reading === 'ended') return Promise.resolve({ done: true, value: undefined });
    this.#reader ??= Promise.withResolvers();
    return this.#reader.promise;
  }

  #took(chunk: Uint8Array): void {
    this.#nextChunk += 1;
    this.#heldBytes -= chunk.length + CHUNK_OVERHEAD_BYTES;
    if (this.#nextChunk === this.#chunks.length) {
      this.#chunks = [];
      this.#nextChunk = 0;
    }
    if (this.#heldBytes <= HELD_BYTES_MAX / 2) this.#wake();
  }

  #wake(): void {
    if (this.#reading !== 'resting') return;
    this.#reading = 'on';
    this.#watch();
  }

  #onEvents(events: number): void {
    if ((events & STOPPED) !== 0) this.#watched = 0;
    if ((events & READABLE) !== 0 && this.#reading === 'on') this.#fill();
    if (!this.#closed && (events & WRITABLE) !== 0) this.#flush();
    this.#watch();
  }

  #fill(): void {
    let turnBytes = 0;
    for (let reads = 0; reads < TURN_READS_MAX && turnBytes < TURN_BYTES_MAX; reads++) {
      const count = this.#readOnce();
      if (count === WOULD_BLOCK || this.#reading !== 'on') return;
      turnBytes += count;
    }
  }

  /** Reads one chunk into the queue, or straight to the waiting reader. */
  #readOnce(): number {
    const room = this.#calls.readBytesMax;
    if (this.#slab.length - this.#slabOffset < room) {
      this.#slab = Buffer.allocUnsafeSlow(this.#slabBytes);
      this.#slabOffset = 0;
    }
    let count: number;
    try {
      count = this.#calls.read(this.#slab, this.#slabOffset, room);
    } catch (error) {
      this.#failReading(error);
      return 0;
    }
    if (count === WOULD_BLOCK) return count;
    if (count === 0) {
      this.#endReading();
      return 0;
    }
    const chunk = this.#slab.subarray(this.#slabOffset, this.#slabOffset + count);
    this.#slabOffset += count;
    this.#deliver(chunk);
    return count;
  }

  #deliver(chunk: Uint8Array): void {
    const reader = this.#reader;
    if (reader !== undefined) {
      this.#reader = undefined;
      reader.resolve({ done: false, value: chunk });
      return;
    }
    this.#chunks.push(chunk);
    this.#heldBytes += chunk.length + CHUNK_OVERHEAD_BYTES;
    if (this.#heldBytes >= HELD_BYTES_MAX) this.#reading = 'resting';
  }

  #failReading(error: unknown): void {
    const reader = this.#reader;
    this.#reader = undefined;
    this.#reading = 'ended';
    if (reader === undefined) this.#readError = error;
    else reader.reject(error);
  }

  #endReading(): void {
    this.#reading = 'ended';
    this.#reader?.resolve({ done: true, value: undefined });
    this.#reader = undefined;
  }

  #flush(): void {
    let write = this.#writes[0];
    while (write !== undefined) {
      try {
        const count = this.#calls.write(write.bytes, write.offset, write.bytes.length - write.offset);
        if (count === WOULD_BLOCK) return;
        write.offset += count;
      } catch (error) {
        for (const failed of this.#writes.splice(0)) failed.done.reject(error);
        return;
      }
      if (write.offset === write.bytes.length) {
        this.#writes.shift();
        write.done.resolve();
      }
      write = this.#writes[0];
    }
    if (this.#endAsked) this.#calls.endWrite?.();
  }

  #watch(): void {
    if (this.#closed) return;
    const wanted = (this.#reading === 'on' ? READABLE : 0) | (this.#writes.length > 0 ? WRITABLE : 0);
    if (wanted === this.#watched) return;
    this.#watched = wanted;
    this.#poll.watch(wanted);
  }
}
