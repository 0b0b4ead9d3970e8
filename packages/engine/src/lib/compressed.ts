import { Readable, type Transform } from 'node:stream';
import { constants, createDeflateRaw, createGzip } from 'node:zlib';

/** What an HTTP answer may be compressed with. */
export type ContentEncoding = 'gzip' | 'deflate';

/**
 * The better of gzip and deflate that a client accepts; undefined when it accepts neither, or would rather have the bytes as they are.
 * Source: RFC 9110, 12.5.3; Docker knows these two.
 */
export function acceptedEncoding(header: string | undefined): ContentEncoding | undefined {
  const weights = new Map(
    (header ?? '').split(',').map((item): readonly [string, number] => {
      const [name = '', ...parameters] = item
        .trim()
        .toLowerCase()
        .split(/\s*;\s*/);
      const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
      return [name, weight === undefined ? 1 : Number(weight) || 0];
    }),
  );
  const weightOf = (name: ContentEncoding): number => weights.get(name) ?? weights.get('*') ?? 0;
  const best = weightOf('deflate') > weightOf('gzip') ? 'deflate' : 'gzip';
  const plain = weights.get('identity') ?? 0;
  return weightOf(best) > 0 && weightOf(best) >= plain ? best : undefined;
}

/** Compresses chunks on their way; fast rather than small, because most clients are on the same machine. `deflate` is raw, as Docker's. */
export async function* compressed(
  chunks: AsyncIterable<Uint8Array>,
  encoding: ContentEncoding,
): AsyncGenerator<Uint8Array, void, undefined> {
  const level = constants.Z_BEST_SPEED;
  const transform: Transform = encoding === 'gzip' ? createGzip({ level }) : createDeflateRaw({ level });
  const source = Readable.from(chunks);
  source.on('error', (error) => transform.destroy(error));
  source.pipe(transform);
  try {
    for await (const chunk of transform) if (chunk instanceof Uint8Array) yield chunk;
  } finally {
    transform.destroy();
    // Waits for nobody: what it reads from is told to end.
    source.destroy();
  }
}
