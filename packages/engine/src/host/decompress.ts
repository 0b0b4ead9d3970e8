import { Readable, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { EngineError } from '@fairlead/protocol';
import { isErrno } from './errno.ts';
import { spawnProgram } from './process.ts';

/** A program's complaint beyond this is cut. */
const COMPLAINT_BYTES_MAX = 4096;

type Compression = 'gzip' | 'zstd' | 'bzip2' | 'xz' | 'none';

/** How each compression starts. Source: the formats' own specifications. */
const MAGIC: readonly { readonly compression: Compression; readonly bytes: readonly number[] }[] = [
  { compression: 'gzip', bytes: [0x1f, 0x8b, 0x08] },
  { compression: 'zstd', bytes: [0x28, 0xb5, 0x2f, 0xfd] },
  { compression: 'bzip2', bytes: [0x42, 0x5a, 0x68] },
  { compression: 'xz', bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00] },
];
const MAGIC_BYTES_MAX = 6;

/**
 * Takes the compression off, as recognised by the first bytes: gzip, zstd, bzip2 (`bzip2`), xz (`xz`); other bytes pass.
 *
 * The caller limits how much comes out: a compressed megabyte can hold a gigabyte.
 * @throws EngineError 'invalid-argument' when it is damaged or cut short; 'unavailable' when the program is missing.
 */
export async function* decompress(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  const head = await peek(iterator);
  const whole = resume(head, iterator);
  const compression =
    MAGIC.find(({ bytes }) => bytes.every((byte, index) => head[index] === byte))?.compression ?? 'none';
  switch (compression) {
    case 'gzip':
      return yield* through(whole, createGunzip());
    case 'zstd':
      return yield* through(whole, createZstdDecompress());
    case 'bzip2':
    case 'xz':
      return yield* throughProgram(whole, compression);
    case 'none':
      return yield* whole;
    default:
      return compression satisfies never;
  }
}

/** Reads until the magic can be told, or the end. */
async function peek(iterator: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  let head: Uint8Array = new Uint8Array(0);
  while (head.byteLength < MAGIC_BYTES_MAX) {
    const next = await iterator.next();
    if (next.done === true) break;
    head = head.byteLength === 0 ? next.value : Buffer.concat([head, next.value]);
  }
  return head;
}

async function* resume(
  head: Uint8Array,
  iterator: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    if (head.byteLength > 0) yield head;
    for (;;) {
      const next = await iterator.next();
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    await iterator.return?.();
  }
}

async function* through(
  source: AsyncIterable<Uint8Array>,
  transform: Transform,
): AsyncGenerator<Uint8Array, void, undefined> {
  const feeding = pipeline(Readable.from(source), transform).catch(() => {});
  try {
    for await (const chunk of transform) yield chunk;
  } catch (cause) {
    throw damaged(cause);
  } finally {
    transform.destroy();
    await feeding;
  }
}

/** zlib's failures have codes of their own; anything else came from the source. */
function damaged(cause: unknown): unknown {
  if (!isErrno(cause) || cause.code === undefined || !/^(Z_|ZSTD_)/.test(cause.code)) return cause;
  const words = cause.code === 'Z_BUF_ERROR' ? 'unexpected EOF' : `cannot decompress: ${cause.message}`;
  return new EngineError('invalid-argument', words, { cause });
}

async function* throughProgram(
  source: AsyncIterable<Uint8Array>,
  file: 'bzip2' | 'xz',
): AsyncGenerator<Uint8Array, void, undefined> {
  const starting = spawnProgram(file, ['-dc'], { stdio: ['pipe', 'pipe', 'pipe'] });
  await using program = await starting.catch((cause: unknown) => {
    throw isErrno(cause, 'ENOENT')
      ? new EngineError('unavailable', `${file} is needed to read this archive`, { cause })
      : cause;
  });
  const [stdin, stdout, stderr] = program.pipes;
  if (stdin === undefined || stdout === undefined || stderr === undefined) return;
  const feeding: { failure?: unknown } = {};
  const fed = pipeline(Readable.from(source), stdin).catch((error: unknown) => {
    // EPIPE says that the program ended first: its exit code tells why.
    if (!isErrno(error, 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE')) feeding.failure = error;
    if ('failure' in feeding) program.kill('SIGKILL');
  });
  const complaint = collectComplaint(stderr);
  // Awaited below, unless the reader leaves first: then nobody asks any more what the program said.
  complaint.catch(() => {});
  try {
    for await (const chunk of stdout) yield chunk;
  } catch (error) {
    // A killed program breaks its pipes in many ways; the reason is one.
    throw 'failure' in feeding ? feeding.failure : error;
  }
  const exit = await program.exited;
  await fed;
  if ('failure' in feeding) throw feeding.failure;
  if (exit.exitCode !== 0) throw new EngineError('invalid-argument', (await complaint) || `${file} failed`);
}

async function collectComplaint(stream: AsyncIterable<Uint8Array>): Promise<string> {
  let text = '';
  for await (const chunk of stream) {
    if (text.length < COMPLAINT_BYTES_MAX) text += Buffer.from(chunk).toString('utf8');
  }
  return text.slice(0, COMPLAINT_BYTES_MAX).trim();
}
