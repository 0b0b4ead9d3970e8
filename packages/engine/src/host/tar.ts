import { EngineError, isEngineError } from '@fairlead/protocol';
import { extract, type Extract, type Header } from 'tar-stream';

/** What tar-stream hands out per entry; its type is not exported under a name that says so. */
type Entry = Extract extends AsyncIterable<infer E> ? E : never;

/** Source: PATH_MAX, linux/limits.h: a longer name cannot be opened. */
export const TAR_NAME_BYTES_MAX = 4096;

/** One entry of a tar. The name is as written: a key, never a path to open. */
export interface TarEntry {
  readonly name: string;
  readonly type: 'file' | 'directory' | 'symlink' | 'hardlink' | 'other';
  readonly linkName: string;
  readonly sizeBytes: number;
  /** To be read before the next entry is asked for; what is not read is skipped. */
  readonly content: AsyncIterable<Uint8Array>;
}

/**
 * Reads a tar (ustar, pax, GNU) as it arrives; holds one chunk at a time.
 *
 * @throws EngineError 'invalid-argument' in the words of Go's archive/tar; an error of `source` as it is.
 */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry, void, undefined> {
  const parser = extract();
  // The iterator is made before the first byte goes in: it listens for the entries.
  const entries = parser[Symbol.asyncIterator]();
  const failure: { source?: unknown } = {};
  const pumping = pump(source, parser, failure);
  try {
    for (;;) {
      const next = await entries.next();
      if (next.done === true) break;
      yield tarEntry(next.value);
      // Reading it to its end is what makes the parser go on.
      next.value.resume();
    }
  } catch (error) {
    throw translate('source' in failure ? failure.source : error);
  } finally {
    parser.destroy(null);
    await pumping;
  }
  if ('source' in failure) throw failure.source;
}

async function pump(source: AsyncIterable<Uint8Array>, parser: Extract, failure: { source?: unknown }): Promise<void> {
  try {
    for await (const chunk of source) {
      if (parser.destroyed) return;
      if (!parser.write(chunk)) await drained(parser);
    }
    parser.end();
  } catch (error) {
    failure.source = error;
    parser.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}

/** Resolves when the parser takes more, or never will. */
async function drained(parser: Extract): Promise<void> {
  if (parser.destroyed) return;
  const turn = Promise.withResolvers<void>();
  parser.once('drain', turn.resolve);
  parser.once('close', turn.resolve);
  await turn.promise;
  parser.off('drain', turn.resolve);
  parser.off('close', turn.resolve);
}

function tarEntry(entry: Entry): TarEntry {
  const { name, type, linkname, size } = entry.header;
  if (Buffer.byteLength(name) > TAR_NAME_BYTES_MAX) {
    throw new EngineError('invalid-argument', `name of ${Buffer.byteLength(name)} bytes in archive: file name too long`);
  }
  return { name, type: entryType(type), linkName: linkname, sizeBytes: size, content: entryContent(entry) };
}

async function* entryContent(entry: Entry): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const chunk of entry) yield chunk;
  } catch (error) {
    throw translate(error);
  }
}

function entryType(type: Header['type']): TarEntry['type'] {
  switch (type) {
    case 'file':
    case 'contiguous-file':
      return 'file';
    case 'directory':
      return 'directory';
    case 'symlink':
      return 'symlink';
    case 'link':
      return 'hardlink';
    default:
      return 'other';
  }
}

// tar-stream 3.2.2, extract.js and headers.js: its errors are told apart by their words alone.
const WORDS: readonly { readonly pattern: RegExp; readonly message: string }[] = [
  { pattern: /^Unexpected end of data$/, message: 'unexpected EOF' },
  { pattern: /^(Invalid tar header|Invalid header|Header exceeds max size)/, message: 'archive/tar: invalid tar header' },
];

function translate(cause: unknown): unknown {
  if (!(cause instanceof Error) || isEngineError(cause)) return cause;
  const known = WORDS.find(({ pattern }) => pattern.test(cause.message));
  return known === undefined ? cause : new EngineError('invalid-argument', known.message, { cause });
}
