import { encodeTar, type TarFile } from '@fairlead/protocol/tar';
import { EXIT_FAILURE, ExitError } from '../../exit-codes.ts';

/** Longer than any Dockerfile. */
const DOCKERFILE_BYTES_MAX: number = 1024 * 1024;
/** Where a tar says that it is one, and how compressed ones begin. Source: POSIX.1-2017, pax; moby pkg/archive. */
const USTAR_AT = 257;
const COMPRESSED: readonly string[] = ['1f8b', '425a68', 'fd377a585a00', '28b52ffd'];

/**
 * What came on standard input as a build's context: a tar, perhaps compressed, or a Dockerfile alone.
 *
 * @throws ExitError for text that is longer than any Dockerfile.
 */
export async function* stdinContext(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const chunks = input[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  let next = await chunks.next();
  for (; next.done !== true && head.byteLength < 512; next = await chunks.next())
    head = Buffer.concat([head, next.value]);
  if (isArchive(head)) {
    yield head;
    for (; next.done !== true; next = await chunks.next()) yield next.value;
    return;
  }
  let text = head;
  for (; next.done !== true; next = await chunks.next()) {
    text = Buffer.concat([text, next.value]);
    if (text.byteLength > DOCKERFILE_BYTES_MAX) {
      throw new ExitError(EXIT_FAILURE, 'unable to prepare context: standard input is neither a tar nor a Dockerfile');
    }
  }
  yield* encodeTar(dockerfile(text));
}

function isArchive(head: Buffer): boolean {
  const isTar = head.toString('latin1', USTAR_AT, USTAR_AT + 5) === 'ustar';
  return isTar || COMPRESSED.some((magic) => head.toString('hex').startsWith(magic));
}

async function* dockerfile(text: Buffer): AsyncGenerator<TarFile, void, undefined> {
  async function* content(): AsyncGenerator<Uint8Array, void, undefined> {
    yield text;
  }
  yield {
    record: {
      name: 'Dockerfile',
      type: 'file',
      mode: 0o644,
      uid: 0,
      gid: 0,
      sizeBytes: text.byteLength,
      modifiedAt: new Date(0),
      accessedAt: undefined,
      linkName: '',
      major: 0,
      minor: 0,
      attributes: new Map(),
    },
    content: content(),
  };
}
