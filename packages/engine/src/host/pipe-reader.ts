import { isErrno } from './errno.ts';
import { closeDescriptor, openPipe, Poll, READABLE, readDescriptor, setNonBlocking, setPipeSize } from './native.ts';

/** Sizes of reads: most programs say little, and one that fills a read gets the next size. */
const READ_BYTES: readonly number[] = [4 * 1024, 64 * 1024, 256 * 1024];
/** Buffers kept for the next reads: one is being filled while another is on its way. */
const FREE_BUFFERS_MAX = 2;
/** Reads per turn of the event loop while output is thrown away, so that others have their turn. */
const DISCARDED_READS_MAX = 4;

/** What one read gave. `empty`: nothing for now. `ended`: nothing any more; the descriptor is closed. */
export type PipePiece =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array; readonly release: (() => void) | undefined }
  | { readonly kind: 'empty' }
  | { readonly kind: 'ended' };

const EMPTY: PipePiece = { kind: 'empty' };
const ENDED: PipePiece = { kind: 'ended' };

/**
 * Our reading end of a pipe to a program, read only when asked: a program whose output is not read waits once the pipe is
 * full.
 *
 * Bytes come in buffers that are used again when the receiver releases them: a fast program's output would otherwise keep
 * the garbage collector busy. Runs on the event loop, without threads.
 */
export class PipeReader implements Disposable {
  /** For the program; ours to close once it has it, see {@link PipeReader.handedOver}. */
  readonly writeEnd: number;
  readonly #readEnd: number;
  #poll: Poll | undefined;
  #whenReadable: (() => void) | undefined;
  #size = 0;
  #free: Buffer[] = [];
  #state: 'whole' | 'reading' | 'closed' = 'whole';

  /** `pipeBytes`: kernel buffer; where the kernel refuses so much, its default stays. @throws an errno error. */
  constructor(pipeBytes: number) {
    const { read, write } = openPipe();
    this.#readEnd = read;
    this.writeEnd = write;
    setNonBlocking(read);
    try {
      setPipeSize(write, pipeBytes);
    } catch (error) {
      // Over fs.pipe-max-size, or the user has used up fs.pipe-user-pages-soft: slower, not wrong.
      if (!isErrno(error, 'EPERM')) throw error;
    }
  }

  /** The program has its own copy of the writing end now. */
  handedOver(): void {
    if (this.#state !== 'whole') return;
    this.#state = 'reading';
    closeDescriptor(this.writeEnd);
  }

  /** What is there, at most 256 KiB. */
  read(): PipePiece {
    if (this.#state === 'closed') return ENDED;
    const buffer = this.#free.pop() ?? Buffer.allocUnsafeSlow(READ_BYTES[this.#size] ?? 0);
    const count = readDescriptor(this.#readEnd, buffer, 0, buffer.length);
    if (count === 0) {
      this[Symbol.dispose]();
      return ENDED;
    }
    if (count < 0) {
      this.#free.push(buffer);
      return EMPTY;
    }
    return this.#piece(buffer, count);
  }

  /** Calls back once, when there is something to read or the end was reached; the latest caller counts. */
  whenReadable(callback: () => void): void {
    if (this.#state === 'closed') return void setImmediate(callback);
    this.#whenReadable = callback;
    this.#poll ??= new Poll(this.#readEnd, () => this.#tell());
    this.#poll.watch(READABLE);
  }

  /** Throws away everything from now on, to the end, so that the program never waits; then calls back. */
  discard(onEnded: () => void): void {
    for (let count = 0; count < DISCARDED_READS_MAX; count++) {
      const piece = this.read();
      if (piece.kind === 'ended') return onEnded();
      if (piece.kind === 'empty') break;
      piece.release?.();
    }
    this.whenReadable(() => this.discard(onEnded));
  }

  [Symbol.dispose](): void {
    if (this.#state === 'closed') return;
    this.handedOver();
    this.#state = 'closed';
    this.#free = [];
    this.#poll?.close();
    closeDescriptor(this.#readEnd);
  }

  #tell(): void {
    this.#poll?.watch(0);
    const callback = this.#whenReadable;
    this.#whenReadable = undefined;
    callback?.();
  }

  #piece(buffer: Buffer, count: number): PipePiece {
    const isLittle = count < buffer.length / 4;
    if (count === buffer.length && this.#size < READ_BYTES.length - 1) this.#size += 1;
    if (!isLittle) {
      return { kind: 'bytes', bytes: buffer.subarray(0, count), release: () => this.#takeBack(buffer) };
    }
    // Kept by somebody who does not release it, it would hold the whole buffer.
    this.#takeBack(buffer);
    return { kind: 'bytes', bytes: Buffer.from(buffer.subarray(0, count)), release: undefined };
  }

  #takeBack(buffer: Buffer): void {
    const isWanted = this.#state !== 'closed' && buffer.length === READ_BYTES[this.#size];
    if (isWanted && this.#free.length < FREE_BUFFERS_MAX && !this.#free.includes(buffer)) this.#free.push(buffer);
  }
}
