import type { BytePath } from './byte-path.ts';
import {
  PAX_ATTRIBUTE_PREFIX,
  TAR_BLOCK_BYTES,
  TAR_TYPE_FLAGS,
  tarChecksum,
  tarPaddingBytes,
  type TarRecord,
} from './tar-record.ts';

/** Lengths of ustar's fields. Source: POSIX.1-2017, pax, "ustar Header Block". */
const NAME_BYTES = 100;
const PREFIX_BYTES = 155;
/** Seven octal digits and a NUL. */
const SMALL_NUMBER_MAX = 0o7777777;
/** Eleven octal digits and a NUL. */
const LARGE_NUMBER_MAX = 0o77777777777;

/** How much is collected before it is handed on: a small file would be three chunks otherwise. */
const CHUNK_BYTES_MIN: number = 64 * 1024;

/** Two blocks of zeros. */
const END_OF_ARCHIVE: Buffer = Buffer.alloc(2 * TAR_BLOCK_BYTES);

/** One file with what it holds. */
export interface TarFile {
  readonly record: TarRecord;
  /** Exactly `record.sizeBytes` bytes; a file that turns out shorter is filled up with zeros, what is too much is left out. */
  readonly content: AsyncIterable<Uint8Array>;
}

/**
 * Writes a tar, pulled: ustar, with pax records for what does not fit into it. Times are whole seconds, as Docker writes them.
 * Holds one chunk of at least {@link CHUNK_BYTES_MIN} at a time.
 */
export async function* encodeTar(files: AsyncIterable<TarFile>): AsyncGenerator<Uint8Array, void, undefined> {
  const collected = new Collected();
  for await (const { record, content } of files) {
    collected.push(encodeTarHeader(record));
    for await (const chunk of exactly(content, record.sizeBytes)) {
      if (collected.isFull) yield collected.take();
      collected.push(chunk);
    }
    collected.push(Buffer.alloc(tarPaddingBytes(record.sizeBytes)));
    if (collected.isFull) yield collected.take();
  }
  collected.push(END_OF_ARCHIVE);
  yield collected.take();
}

/** That many bytes: the header has promised them. */
async function* exactly(
  content: AsyncIterable<Uint8Array>,
  sizeBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let left = sizeBytes;
  if (left === 0) return;
  for await (const chunk of content) {
    yield chunk.subarray(0, left);
    left -= Math.min(left, chunk.byteLength);
    if (left === 0) return;
  }
  for (; left > 0; left -= Math.min(left, CHUNK_BYTES_MIN)) yield Buffer.alloc(Math.min(left, CHUNK_BYTES_MIN));
}

class Collected {
  #chunks: Uint8Array[] = [];
  #bytes = 0;

  get isFull(): boolean {
    return this.#bytes >= CHUNK_BYTES_MIN;
  }

  push(chunk: Uint8Array): void {
    if (chunk.byteLength === 0) return;
    this.#chunks.push(chunk);
    this.#bytes += chunk.byteLength;
  }

  take(): Uint8Array {
    const [first, second] = this.#chunks;
    const all = first !== undefined && second === undefined ? first : Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#bytes = 0;
    return all;
  }
}

/** The header of one file, with the pax header before it where ustar is too small. */
export function encodeTarHeader(record: TarRecord): Buffer {
  const slash = record.type === 'directory' && !record.name.endsWith('/') ? '/' : '';
  const name = `${record.name}${slash}`;
  const split = splitName(name);
  const seconds = Math.floor(record.modifiedAt.getTime() / 1000);
  const pax = paxRecords(record, { name, fits: split !== undefined, seconds });
  const header = ustarHeader(record, {
    ...(split ?? { name: name.slice(0, NAME_BYTES), prefix: '' }),
    seconds,
    flag: TAR_TYPE_FLAGS[record.type],
  });
  if (pax.length === 0) return header;
  const content = Buffer.concat(pax);
  // Its own name says nothing; readers that know no pax extract it as a file, so it is one nobody misses.
  const paxHeader = ustarHeader(
    {
      ...record,
      type: 'file',
      sizeBytes: content.length,
      linkName: '',
      mode: 0o644,
      uid: 0,
      gid: 0,
      major: 0,
      minor: 0,
    },
    { name: `PaxHeaders.0/${name.slice(-50).replaceAll('/', '_')}`, prefix: '', seconds: 0, flag: 'x' },
  );
  return Buffer.concat([paxHeader, content, Buffer.alloc(tarPaddingBytes(content.length)), header]);
}

interface UstarFields {
  readonly name: BytePath;
  readonly prefix: BytePath;
  readonly seconds: number;
  readonly flag: string;
}

function ustarHeader(record: TarRecord, fields: UstarFields): Buffer {
  const header = Buffer.alloc(TAR_BLOCK_BYTES);
  const text = (value: string, at: number, length: number): void =>
    void header.write(value.slice(0, length), at, 'latin1');
  const octal = (value: number, at: number, length: number): void => {
    const fits = value >= 0 && value < 8 ** (length - 1);
    text((fits ? value : 0).toString(8).padStart(length - 1, '0'), at, length - 1);
  };
  text(fields.name, 0, NAME_BYTES);
  octal(record.mode & 0o7777, 100, 8);
  octal(record.uid, 108, 8);
  octal(record.gid, 116, 8);
  octal(record.sizeBytes, 124, 12);
  octal(fields.seconds, 136, 12);
  text(fields.flag, 156, 1);
  text(record.linkName, 157, NAME_BYTES);
  text('ustar\u000000', 257, 8);
  octal(record.major, 329, 8);
  octal(record.minor, 337, 8);
  text(fields.prefix, 345, PREFIX_BYTES);
  text(`${tarChecksum(header).toString(8).padStart(6, '0')}\0 `, 148, 8);
  return header;
}

/** Into ustar's two fields; undefined when it does not fit, or is not ASCII. */
function splitName(name: BytePath): { readonly name: BytePath; readonly prefix: BytePath } | undefined {
  if (!isAscii(name)) return undefined;
  if (name.length <= NAME_BYTES) return { name, prefix: '' };
  const slash = name.lastIndexOf('/', Math.min(PREFIX_BYTES, name.length - 2));
  const rest = name.slice(slash + 1);
  if (slash <= 0 || rest.length > NAME_BYTES) return undefined;
  return { name: rest, prefix: name.slice(0, slash) };
}

function paxRecords(
  record: TarRecord,
  facts: { readonly name: BytePath; readonly fits: boolean; readonly seconds: number },
): readonly Buffer[] {
  const records: Buffer[] = [];
  const add = (key: string, value: string | Uint8Array): void => {
    records.push(paxRecord(key, typeof value === 'string' ? Buffer.from(value, 'latin1') : value));
  };
  if (!facts.fits) add('path', facts.name);
  if (record.linkName.length > NAME_BYTES || !isAscii(record.linkName)) add('linkpath', record.linkName);
  if (record.sizeBytes > LARGE_NUMBER_MAX) add('size', String(record.sizeBytes));
  if (record.uid > SMALL_NUMBER_MAX) add('uid', String(record.uid));
  if (record.gid > SMALL_NUMBER_MAX) add('gid', String(record.gid));
  if (facts.seconds < 0 || facts.seconds > LARGE_NUMBER_MAX) add('mtime', String(facts.seconds));
  for (const [name, value] of record.attributes) add(`${PAX_ATTRIBUTE_PREFIX}${name}`, value);
  return records;
}

/** `LENGTH KEY=VALUE\n`, where the length counts its own digits, too. Source: POSIX.1-2017, pax, "Extended Header". */
function paxRecord(key: string, value: Uint8Array): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`, 'latin1'), value, Buffer.from('\n')]);
  let length = rest.length + 1;
  while (rest.length + String(length).length !== length) length = rest.length + String(length).length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function isAscii(text: BytePath): boolean {
  return /^[\x01-\x7f]*$/.test(text);
}
