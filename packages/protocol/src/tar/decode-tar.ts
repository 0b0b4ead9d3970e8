import { EngineError } from '../errors.ts';
import { bytePath, type BytePath } from './byte-path.ts';
import {
  PAX_ATTRIBUTE_PREFIX,
  TAR_BLOCK_BYTES,
  TAR_TYPE_FLAGS,
  tarChecksum,
  tarPaddingBytes,
  type TarRecord,
  type TarRecordType,
} from './tar-record.ts';

/** Source: Go, archive/tar, maxSpecialFileSize. */
const SPECIAL_BYTES_MAX: number = 1024 * 1024;
/** Source: PATH_MAX, linux/limits.h: a longer one cannot be made. */
const PATH_BYTES_MAX = 4096;

/** One file of an archive that is being read. */
export interface TarEntryRead {
  readonly record: TarRecord;
  /** To be read before the next entry is asked for; what is not read is skipped. */
  readonly content: AsyncIterable<Uint8Array>;
}

/**
 * Reads a tar as it arrives: ustar, pax, GNU and the old form; holds one chunk, and a header of at most {@link SPECIAL_BYTES_MAX}.
 * What follows the end of the archive is read and thrown away. No byte at all is an empty archive.
 *
 * @throws EngineError 'internal' in the words of Go's archive/tar, because Docker answers 500 with them; 'invalid-argument' for
 *   sparse files, which are not read; an error of `source` as it is.
 */
export async function* decodeTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntryRead, void, undefined> {
  await using input = new BlockReader(source);
  let special: Special = NOTHING_SPECIAL;
  for (;;) {
    const block = await input.block();
    if (block === undefined) return;
    if (isZero(block)) break;
    const header = decodeHeader(block);
    const next = await readSpecial(input, { header, special });
    if (next !== undefined) {
      special = next;
      continue;
    }
    const record = recordOf(header, special);
    special = { ...NOTHING_SPECIAL, global: special.global };
    if (record === undefined) await input.skip(header.sizeBytes);
    else {
      input.begin(record.sizeBytes);
      yield { record, content: input.content() };
      await input.finish();
    }
  }
  await input.drain();
}

/** What came in headers of its own before the file it is about. */
interface Special {
  readonly global: ReadonlyMap<string, Uint8Array>;
  readonly local: ReadonlyMap<string, Uint8Array>;
  readonly longName: BytePath | undefined;
  readonly longLink: BytePath | undefined;
}

const NOTHING_SPECIAL: Special = { global: new Map(), local: new Map(), longName: undefined, longLink: undefined };

interface Header {
  readonly name: BytePath;
  readonly flag: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly seconds: number;
  readonly linkName: BytePath;
  readonly major: number;
  readonly minor: number;
}

/** Reads a header that is about the next one; undefined when it is a file's. */
async function readSpecial(
  input: BlockReader,
  at: { readonly header: Header; readonly special: Special },
): Promise<Special | undefined> {
  const { header, special } = at;
  switch (header.flag) {
    case 'x':
      return { ...special, local: parsePax(await input.whole(header.sizeBytes)) };
    case 'g':
      return { ...special, global: new Map([...special.global, ...parsePax(await input.whole(header.sizeBytes))]) };
    case 'L':
      return { ...special, longName: untilNul(await input.whole(header.sizeBytes)) };
    case 'K':
      return { ...special, longLink: untilNul(await input.whole(header.sizeBytes)) };
    default:
      return undefined;
  }
}

/** Undefined for kinds that are no file: volume labels, lists of a dump. */
function recordOf(header: Header, special: Special): TarRecord | undefined {
  const pax = new Map([...special.global, ...special.local]);
  const text = (key: string): BytePath | undefined => {
    const value = pax.get(key);
    return value === undefined || value.length === 0 ? undefined : bytePath(value);
  };
  const number = (key: string): number | undefined => paxNumber(text(key));
  if (header.flag === 'S' || [...pax.keys()].some((key) => key.startsWith('GNU.sparse.'))) {
    throw new EngineError(
      'invalid-argument',
      'sparse files in archives are not supported: write the tar without --sparse',
    );
  }
  const name = text('path') ?? special.longName ?? header.name;
  const type = typeOf(header.flag, name);
  if (type === undefined) return undefined;
  const linkName = text('linkpath') ?? special.longLink ?? header.linkName;
  if (name.length > PATH_BYTES_MAX || linkName.length > PATH_BYTES_MAX) {
    throw new EngineError('internal', 'archive/tar: header field too long');
  }
  const accessed = number('atime');
  return {
    name,
    type,
    mode: header.mode & 0o7777,
    uid: number('uid') ?? header.uid,
    gid: number('gid') ?? header.gid,
    // Only files have content; what a broken header of another kind claims is not there.
    sizeBytes: type === 'file' ? sizeOf(number('size') ?? header.sizeBytes) : 0,
    modifiedAt: dateOf(number('mtime') ?? header.seconds),
    accessedAt: accessed === undefined ? undefined : dateOf(accessed),
    linkName,
    major: header.major,
    minor: header.minor,
    attributes: attributesOf(pax),
  };
}

function typeOf(flag: string, name: BytePath): TarRecordType | undefined {
  // Old tars have no flag for directories, only a slash; '7' is a file that wants to lie in one piece.
  if (flag === '\0' || flag === '7') return name.endsWith('/') ? 'directory' : 'file';
  return TYPES.get(flag);
}

const TYPES: ReadonlyMap<string, TarRecordType> = new Map([
  [TAR_TYPE_FLAGS.file, 'file'],
  [TAR_TYPE_FLAGS.hardlink, 'hardlink'],
  [TAR_TYPE_FLAGS.symlink, 'symlink'],
  [TAR_TYPE_FLAGS.character, 'character'],
  [TAR_TYPE_FLAGS.block, 'block'],
  [TAR_TYPE_FLAGS.directory, 'directory'],
  [TAR_TYPE_FLAGS.fifo, 'fifo'],
]);

function attributesOf(pax: ReadonlyMap<string, Uint8Array>): ReadonlyMap<string, Uint8Array> {
  const found = [...pax].filter(([key]) => key.startsWith(PAX_ATTRIBUTE_PREFIX));
  return new Map(found.map(([key, value]) => [key.slice(PAX_ATTRIBUTE_PREFIX.length), value]));
}

/** What no clock says becomes the beginning of time, as in Docker. Source: moby, pkg/system/chtimes.go. */
function dateOf(seconds: number): Date {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? new Date(0) : date;
}

function sizeOf(size: number): number {
  if (Number.isSafeInteger(size) && size >= 0) return size;
  throw invalidHeader();
}

function decodeHeader(block: Buffer): Header {
  const sum = numberAt(block, 148, 8);
  if (sum !== tarChecksum(block)) throw invalidHeader();
  const text = (at: number, length: number): BytePath => untilNul(block.subarray(at, at + length));
  const isUstar = block.toString('latin1', 257, 263) === 'ustar\0';
  const prefix = isUstar ? text(345, 155) : '';
  const name = text(0, 100);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    flag: String.fromCharCode(block[156] ?? 0),
    mode: numberAt(block, 100, 8),
    uid: numberAt(block, 108, 8),
    gid: numberAt(block, 116, 8),
    sizeBytes: sizeOf(numberAt(block, 124, 12)),
    seconds: numberAt(block, 136, 12),
    linkName: text(157, 100),
    major: numberAt(block, 329, 8),
    minor: numberAt(block, 337, 8),
  };
}

/** Octal text, or with the first bit set a big-endian number (GNU). @throws EngineError for anything else. */
function numberAt(block: Buffer, at: number, length: number): number {
  const first = block[at] ?? 0;
  if ((first & 0x80) !== 0) {
    const bytes = block.subarray(at, at + length);
    const negative = (first & 0x40) !== 0;
    let value = BigInt(first & 0x7f);
    for (const byte of bytes.subarray(1)) value = (value << 8n) | BigInt(byte);
    const number = Number(negative ? value - (1n << BigInt(8 * length - 1)) : value);
    if (!Number.isSafeInteger(number)) throw invalidHeader();
    return number;
  }
  const digits = untilNul(block.subarray(at, at + length)).trim();
  if (digits === '') return 0;
  if (!/^[0-7]+$/.test(digits)) throw invalidHeader();
  return Number.parseInt(digits, 8);
}

function paxNumber(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^-?[0-9]{1,19}(\.[0-9]{0,30})?$/.test(text)) throw invalidHeader();
  return Number(text);
}

/** Source: POSIX.1-2017, pax, "Extended Header": `LENGTH KEY=VALUE\n`. */
function parsePax(bytes: Buffer): ReadonlyMap<string, Uint8Array> {
  const records = new Map<string, Uint8Array>();
  for (let at = 0; at < bytes.length;) {
    const blank = bytes.indexOf(0x20, at);
    const digits = blank < 0 ? '' : bytes.toString('latin1', at, blank);
    const length = /^[0-9]{1,7}$/.test(digits) ? Number(digits) : 0;
    const equals = bytes.indexOf(0x3d, blank);
    const end = at + length;
    if (end > bytes.length || equals < blank || equals >= end || bytes[end - 1] !== 0x0a) throw invalidHeader();
    records.set(bytes.toString('latin1', blank + 1, equals), bytes.subarray(equals + 1, end - 1));
    at = end;
  }
  return records;
}

function untilNul(bytes: Uint8Array): BytePath {
  const end = bytes.indexOf(0);
  return bytePath(end < 0 ? bytes : bytes.subarray(0, end));
}

function isZero(block: Buffer): boolean {
  return block.every((byte) => byte === 0);
}

function invalidHeader(): EngineError {
  return new EngineError('internal', 'archive/tar: invalid tar header');
}

function cut(): EngineError {
  return new EngineError('internal', 'unexpected EOF');
}

/** Cuts chunks into blocks and contents. */
class BlockReader implements AsyncDisposable {
  readonly #source: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);
  /** Of the content under way, and of the padding behind it. */
  #left = 0;
  #padding = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** The next block; undefined at the end. */
  async block(): Promise<Buffer | undefined> {
    const block = await this.#take(TAR_BLOCK_BYTES);
    if (block.length === 0) return undefined;
    if (block.length < TAR_BLOCK_BYTES) throw cut();
    return block;
  }

  /** A header's own content, with its padding. */
  async whole(sizeBytes: number): Promise<Buffer> {
    if (sizeBytes > SPECIAL_BYTES_MAX) throw new EngineError('internal', 'archive/tar: header field too long');
    const bytes = await this.#take(sizeBytes);
    if (bytes.length < sizeBytes) throw cut();
    await this.skip(tarPaddingBytes(sizeBytes), { padded: false });
    return bytes;
  }

  begin(sizeBytes: number): void {
    this.#left = sizeBytes;
    this.#padding = tarPaddingBytes(sizeBytes);
  }

  async *content(): AsyncGenerator<Uint8Array, void, undefined> {
    while (this.#left > 0) {
      const chunk = await this.#some(this.#left);
      if (chunk === undefined) throw cut();
      this.#left -= chunk.byteLength;
      yield chunk;
    }
  }

  /** Goes to the end of the content. */
  async finish(): Promise<void> {
    const left = this.#left;
    const padding = this.#padding;
    this.begin(0);
    await this.skip(left + padding, { padded: false });
  }

  async skip(sizeBytes: number, how: { readonly padded: boolean } = { padded: true }): Promise<void> {
    for (let left = sizeBytes + (how.padded ? tarPaddingBytes(sizeBytes) : 0); left > 0;) {
      const chunk = await this.#some(left);
      if (chunk === undefined) throw cut();
      left -= chunk.byteLength;
    }
  }

  /** Reads to the end of the source: a client that still writes is not cut off. */
  async drain(): Promise<void> {
    while ((await this.#some(Infinity)) !== undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#source.return?.();
  }

  async #take(sizeBytes: number): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    for (let left = sizeBytes; left > 0;) {
      const chunk = await this.#some(left);
      if (chunk === undefined) break;
      left -= chunk.byteLength;
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  async #some(bytesMax: number): Promise<Uint8Array | undefined> {
    while (this.#rest.byteLength === 0) {
      const next = await this.#source.next();
      if (next.done === true) return undefined;
      this.#rest = next.value;
    }
    const taken = this.#rest.subarray(0, bytesMax);
    this.#rest = this.#rest.subarray(taken.byteLength);
    return taken;
  }
}
