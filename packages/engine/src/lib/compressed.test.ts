import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { gunzipSync, inflateRawSync } from 'node:zlib';
import { acceptedEncoding, compressed, type ContentEncoding } from './compressed.ts';

describe('acceptedEncoding', () => {
  const cases: readonly { readonly header: string | undefined; readonly encoding: ContentEncoding | undefined }[] = [
    { header: undefined, encoding: undefined },
    { header: '', encoding: undefined },
    { header: 'identity', encoding: undefined },
    { header: 'br, zstd', encoding: undefined },
    { header: 'gzip', encoding: 'gzip' },
    { header: 'GZIP;q=0.5, Deflate', encoding: 'deflate' },
    { header: 'gzip, deflate', encoding: 'gzip' },
    { header: 'gzip;q=0', encoding: undefined },
    { header: '*', encoding: 'gzip' },
    { header: 'gzip;q=0.2, identity', encoding: undefined },
  ];
  for (const { header, encoding } of cases) {
    it(`${header ?? 'no header'}: ${encoding ?? 'as it is'}`, () => assert.equal(acceptedEncoding(header), encoding));
  }
});

describe('compressed', () => {
  const bytes = Buffer.concat([randomBytes(300_000), Buffer.alloc(300_000)]);
  async function* source(): AsyncGenerator<Uint8Array, void, undefined> {
    for (let at = 0; at < bytes.length; at += 10_000) yield bytes.subarray(at, at + 10_000);
  }

  it('gives back what went in', async () => {
    assert.ok(gunzipSync(Buffer.concat(await Array.fromAsync(compressed(source(), 'gzip')))).equals(bytes));
    assert.ok(inflateRawSync(Buffer.concat(await Array.fromAsync(compressed(source(), 'deflate')))).equals(bytes));
  });

  it('fails as its source does', async () => {
    async function* broken(): AsyncGenerator<Uint8Array, void, undefined> {
      yield bytes;
      throw new Error('broken');
    }
    await assert.rejects(Array.fromAsync(compressed(broken(), 'gzip')), /broken/);
  });

  it('frees its source when it is left early, however much was read ahead', async () => {
    const freed = Promise.withResolvers<void>();
    async function* endless(): AsyncGenerator<Uint8Array, void, undefined> {
      try {
        for (;;) yield bytes;
      } finally {
        freed.resolve();
      }
    }
    for await (const _chunk of compressed(endless(), 'gzip')) break;
    await freed.promise;
  });
});
