import type { ReadableFile } from '../../host/readable-file.ts';
import { parseLogHead, type LogHead } from './log-line.ts';
import { LOG_FILE_LINE_BYTES_MAX } from './log-lines.ts';

/** One step backwards. */
const STEP_BYTES: number = 64 * 1024;
/**
 * How far before the wanted lines we look for the beginning of a line that was written in parts. Farther back it is
 * shown without its beginning.
 */
const CONTEXT_BYTES_MAX: number = 256 * 1024;

const NEWLINE = 0x0a;

/** Where to begin reading forward: in `files[index]` (newest first) at this position. */
export interface TailStart {
  readonly index: number;
  readonly position: number;
}

/**
 * Finds a place after which at least `count` records (all, if there are fewer) and the whole of every unfinished line
 * come. Reads backwards, no farther than it must.
 *
 * @param files newest first.
 */
export async function findTailStart(files: readonly ReadableFile[], count: number): Promise<TailStart> {
  const search = new TailSearch(count);
  let start: TailStart = { index: 0, position: await endOfLines(files[0]) };
  for (const [index, file] of files.entries()) {
    for await (const block of blocksBackwards(file)) {
      const { position, done } = searchBlock(search, block);
      if (position !== undefined) start = { index, position };
      if (done) return start;
    }
  }
  return start;
}

/**
 * Whether the last line of a stream was written without its newline, or cut off in the middle of a write.
 * @param files newest first.
 */
export async function hasUnfinishedLine(files: readonly ReadableFile[]): Promise<boolean> {
  const end = await endOfLines(files[0]);
  const start = await findTailStart(files, 0);
  return start.index !== 0 || start.position !== end || end !== ((await files[0]?.sizeBytes()) ?? 0);
}

/** Decides, line by line backwards, what belongs to the last `count` records. */
class TailSearch {
  #missing: number;
  #contextBytes = 0;
  /** Streams of which the line before the included ones has not been seen to end. */
  readonly #open = new Set<LogHead['stream']>(['stdout', 'stderr']);

  constructor(count: number) {
    this.#missing = count;
  }

  /** @param bytes the line's length. */
  visit(line: LogHead, bytes: number): 'include' | 'pass' | 'done' {
    if (this.#missing > 0) {
      if (line.tag === 'full') this.#missing -= 1;
      return 'include';
    }
    this.#contextBytes += bytes;
    if (line.tag === 'full') this.#open.delete(line.stream);
    if (line.tag === 'end-of-run') this.#open.clear();
    if (this.#open.size === 0 || this.#contextBytes > CONTEXT_BYTES_MAX) return 'done';
    return line.tag === 'part' && this.#open.has(line.stream) ? 'include' : 'pass';
  }
}

/** Position after the last newline: the monitor may be in the middle of a write. */
async function endOfLines(file: ReadableFile | undefined): Promise<number> {
  if (file === undefined) return 0;
  const size = await file.sizeBytes();
  const from = Math.max(0, size - LOG_FILE_LINE_BYTES_MAX);
  const bytes = await readFully(file, from, size);
  return from + bytes.lastIndexOf(NEWLINE) + 1;
}

/** Whole lines of a file, as they lie in it. */
interface Block {
  readonly bytes: Buffer;
  /** Where in the file they begin. */
  readonly position: number;
}

/** Visits a block's lines, last first. `position`: where the earliest line that is wanted begins. */
function searchBlock(search: TailSearch, block: Block): { readonly position?: number; readonly done: boolean } {
  const { bytes } = block;
  let found: { readonly position?: number } = {};
  let lineEnd = bytes.lastIndexOf(NEWLINE);
  while (lineEnd >= 0) {
    const lineStart = lineEnd === 0 ? 0 : bytes.lastIndexOf(NEWLINE, lineEnd - 1) + 1;
    const head = parseLogHead(bytes.subarray(lineStart, lineEnd + 1));
    if (head !== undefined) {
      const step = search.visit(head, lineEnd - lineStart);
      if (step === 'done') return { ...found, done: true };
      if (step === 'include') found = { position: block.position + lineStart };
    }
    lineEnd = lineStart - 1;
  }
  return { ...found, done: false };
}

async function* blocksBackwards(file: ReadableFile): AsyncGenerator<Block> {
  let end = await file.sizeBytes();
  /** Bytes after `end` that belong to a line which begins before it. */
  let rest: Buffer = Buffer.alloc(0);
  while (end > 0) {
    const from = Math.max(0, end - STEP_BYTES);
    const bytes = Buffer.concat([await readFully(file, from, end), rest]);
    // What comes before the first newline belongs to the step before, unless the file begins here.
    const first = from === 0 ? 0 : bytes.indexOf(NEWLINE) + 1;
    if (from === 0 || first > 0) yield { bytes: bytes.subarray(first), position: from + first };
    rest = first === 0 ? bytes : bytes.subarray(0, first);
    if (rest.length > LOG_FILE_LINE_BYTES_MAX + STEP_BYTES) rest = Buffer.alloc(0);
    end = from;
  }
}

async function readFully(file: ReadableFile, from: number, to: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(to - from);
  let filled = 0;
  while (filled < bytes.length) {
    const count = await file.read(bytes.subarray(filled), from + filled);
    if (count === 0) break;
    filled += count;
  }
  return bytes.subarray(0, filled);
}
