import { closeDescriptor, openPipe, Poll, READABLE, readDescriptor, setNonBlocking } from './native.ts';

/** As much as a pipe gives at once. */
const PIECE_BYTES: number = 64 * 1024;

/**
 * A pipe into which a program tells what is to be known about it: little text, read without a thread and without a stream.
 *
 * What exceeds `bytesMax` is read and thrown away, so that no program waits.
 */
export class ReportPipe implements Disposable {
  /** For the program; ours to close once it has it, see {@link ReportPipe.handedOver}. */
  readonly writeEnd: number;
  readonly #readEnd: number;
  readonly #bytesMax: number;
  readonly #onText: (text: string) => void;
  readonly #poll: Poll;
  #text = '';
  #state: 'whole' | 'reading' | 'closed' = 'whole';

  /** `onText` gets all that was told so far, whenever there is more. */
  constructor(bytesMax: number, onText: (text: string) => void) {
    const { read, write } = openPipe();
    this.#readEnd = read;
    this.writeEnd = write;
    this.#bytesMax = bytesMax;
    this.#onText = onText;
    setNonBlocking(read);
    this.#poll = new Poll(read, () => this.#read());
    this.#poll.watch(READABLE);
    // The program's end is what somebody waits for.
    this.#poll.unref();
  }

  /** The program has its own copy of the writing end now. */
  handedOver(): void {
    if (this.#state !== 'whole') return;
    this.#state = 'reading';
    closeDescriptor(this.writeEnd);
  }

  /** All that was told up to now, also what no event has announced yet. */
  takeText(): string {
    if (this.#state === 'reading') while (this.#readPiece() > 0);
    return this.#text;
  }

  [Symbol.dispose](): void {
    if (this.#state === 'closed') return;
    this.handedOver();
    this.#state = 'closed';
    this.#poll.close();
    closeDescriptor(this.#readEnd);
  }

  #read(): void {
    const length = this.#text.length;
    // At the end it would be told again and again.
    if (this.#readPiece() === 0) this.#poll.watch(0);
    if (this.#text.length > length) this.#onText(this.#text);
  }

  /** @returns bytes read; 0 at the end, -1 when nothing waits. */
  #readPiece(): number {
    const piece = Buffer.allocUnsafe(PIECE_BYTES);
    const count = readDescriptor(this.#readEnd, piece, 0, piece.length);
    if (count > 0) this.#text = (this.#text + piece.toString('utf8', 0, count)).slice(0, this.#bytesMax);
    return count;
  }
}
