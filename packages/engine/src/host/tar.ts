import { EngineError, isEngineError } from '@fairlead/protocol';
import type { Extract, Header } from 'tar-stream';

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

/** How far the source was read. */
interface Progress {
  ended: boolean;
  failure?: unknown;
}

/**
 * Reads a tar (ustar, pax, GNU) as it arrives; holds one chunk at a time.
 *
 * @throws EngineError 'invalid-argument' in the words of Go's archive/tar; an error of `source` as it is.
 */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry, void, undefined> {
  // Loaded when the first archive comes: an engine starts 12 ms sooner without it.
  // It is CommonJS: its names are there for Node, but not in a bundle, where only `default` is.
  const { default: tar } = await import('tar-stream');
  const parser = tar.extract();
  // The iterator is made before the first byte goes in: it listens for the entries.
  const entries = parser[Symbol.asyncIterator]();
  const progress: Progress = { ended: false };
  // Not awaited: it may be waiting for bytes that never come when the reader leaves early; it ends by itself.
  void pump(source, parser, progress);
  try {
    for (;;) {
      const next = await entries.next();
      if (next.done === true) break;
      yield tarEntry(next.value, progress);
      // Reading it to its end is what makes the parser go on.
      next.value.resume();
    }
  } catch (error) {
    throw 'failure' in progress ? progress.failure : refusal(error, progress);
  } finally {
    parser.destroy(null);
  }
  if ('failure' in progress) throw progress.failure;
}

async function pump(source: AsyncIterable<Uint8Array>, parser: Extract, progress: Progress): Promise<void> {
  try {
    for await (const chunk of source) {
      if (parser.destroyed) return;
      if (!parser.write(chunk)) await drained(parser);
    }
    progress.ended = true;
    parser.end(null);
  } catch (error) {
    progress.failure = error;
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

function tarEntry(entry: Entry, progress: Progress): TarEntry {
  const { name, type, linkname, size } = entry.header;
  if (Buffer.byteLength(name) > TAR_NAME_BYTES_MAX) {
    throw new EngineError(
      'invalid-argument',
      `name of ${Buffer.byteLength(name)} bytes in archive: file name too long`,
    );
  }
  // tar-stream gives null where its type promises text.
  return {
    name,
    type: entryType(type),
    linkName: linkname || '',
    sizeBytes: size,
    content: entryContent(entry, progress),
  };
}

async function* entryContent(entry: Entry, progress: Progress): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    // streamx does not say what it yields; tar-stream pushes nothing but bytes.
    for await (const chunk of entry) if (chunk instanceof Uint8Array) yield chunk;
  } catch (error) {
    throw 'failure' in progress ? progress.failure : refusal(error, progress);
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
    case 'block-device':
    case 'character-device':
    case 'fifo':
      return 'other';
    // GNU's own kinds pass as they are, though the type does not name them.
    default:
      return 'other';
  }
}

/** What the parser dislikes before its input ended is no tar; afterwards something is missing. */
function refusal(cause: unknown, progress: Progress): unknown {
  if (isEngineError(cause)) return cause;
  const words = progress.ended ? 'unexpected EOF' : 'archive/tar: invalid tar header';
  return new EngineError('invalid-argument', words, { cause });
}
