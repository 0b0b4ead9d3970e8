import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import * as fc from 'fast-check';
import { decompress } from './decompress.ts';

const forms: readonly { readonly name: string; readonly compress: (bytes: Uint8Array) => Uint8Array }[] = [
  { name: 'none', compress: (bytes) => bytes },
  { name: 'gzip', compress: (bytes) => gzipSync(bytes) },
  { name: 'zstd', compress: (bytes) => zstdCompressSync(bytes) },
  { name: 'bzip2', compress: (bytes) => execFileSync('bzip2', ['-c'], { input: bytes }) },
  { name: 'xz', compress: (bytes) => execFileSync('xz', ['-c'], { input: bytes }) },
];

async function* cut(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

async function readAll(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(source));
}

describe('decompress', () => {
  const text = Buffer.from('the same line over and over\n'.repeat(20_000));
  for (const { name, compress } of forms) {
    for (const size of [1000, 65_536]) {
      it(`takes off ${name} in pieces of ${size} bytes`, async () => {
        assert.deepEqual(await readAll(decompress(cut(compress(text), size))), text);
      });
    }
  }

  it('recognises a form whatever the first pieces are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), fc.integer({ min: 1, max: 20 }), async (bytes, size) => {
        assert.deepEqual(await readAll(decompress(cut(gzipSync(bytes), size))), Buffer.from(bytes));
      }),
      { numRuns: 30 },
    );
  });

  it('passes nothing for nothing, and little for little', async () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from('x'), Buffer.from([0x1f])]) {
      assert.deepEqual(await readAll(decompress(cut(bytes, 1))), bytes);
    }
  });

  for (const { name, compress } of forms.slice(1)) {
    it(`refuses ${name} that is cut short`, async () => {
      const bytes = compress(text);
      await assert.rejects(readAll(decompress(cut(bytes.subarray(0, bytes.length - 8), 100))), {
        name: 'EngineError',
        kind: 'invalid-argument',
      });
    });
  }

  it('refuses gzip that is damaged', async () => {
    const bytes = gzipSync(text);
    bytes.fill(0xff, 40, 60);
    await assert.rejects(readAll(decompress(cut(bytes, 100))), { name: 'EngineError', kind: 'invalid-argument' });
  });

  for (const { name, compress } of forms) {
    it(`throws the error of its source through ${name}`, async () => {
      async function* broken(): AsyncGenerator<Uint8Array, void, undefined> {
        yield compress(text).subarray(0, 60);
        throw new Error('connection reset');
      }
      await assert.rejects(readAll(decompress(broken())), /connection reset/);
    });

    it(`lets its reader leave early through ${name}`, async () => {
      const large = compress(Buffer.alloc(4 * 1024 * 1024, 'z'));
      for await (const chunk of decompress(cut(large, 100_000))) {
        assert.ok(chunk.byteLength > 0);
        break;
      }
    });
  }
});
