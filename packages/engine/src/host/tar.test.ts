import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { layerTar, type LayerEntry } from '@fairlead/testkit';
import { readTar } from './tar.ts';

interface Read {
  readonly name: string;
  readonly type: string;
  readonly linkName: string;
  readonly content: string;
}

async function* cut(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0, turn = 0; at < bytes.byteLength; turn++) {
    const size = sizes[turn % sizes.length] ?? 512;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

async function readAll(source: AsyncIterable<Uint8Array>): Promise<readonly Read[]> {
  const entries: Read[] = [];
  for await (const { name, type, linkName, content } of readTar(source)) {
    const bytes = Buffer.concat(await Array.fromAsync(content));
    entries.push({ name, type, linkName, content: bytes.toString('latin1') });
  }
  return entries;
}

describe('readTar', () => {
  it('gives back the entries that went in, however the bytes are cut', async () => {
    const name = fc.string({ unit: fc.constantFrom('a', 'ö', '/', '.', ' '), minLength: 1, maxLength: 180 });
    const entry = fc.record({ name: name.map((text) => `n${text}x`), content: fc.string({ maxLength: 2000 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(entry, { maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 5 }),
        async (entries, sizes) => {
          const read = await readAll(cut(await layerTar(entries), sizes));
          const wanted = entries.map(({ name, content }) => [name, Buffer.from(content).toString('latin1')]);
          assert.deepEqual(
            read.map(({ name, content }) => [name, content]),
            wanted,
          );
        },
      ),
      { numRuns: 40 },
    );
  });

  it('tells kinds and links apart', async () => {
    const entries: readonly LayerEntry[] = [
      { name: 'd/' },
      { name: 's', type: 'symlink', linkName: '../x' },
      { name: 'h', type: 'link', linkName: 'd' },
      { name: 'p', type: 'fifo' },
    ];
    const read = await readAll(cut(await layerTar(entries), [512]));
    assert.deepEqual(
      read.map(({ type, linkName }) => [type, linkName]),
      [
        ['directory', ''],
        ['symlink', '../x'],
        ['hardlink', 'd'],
        ['other', ''],
      ],
    );
  });

  it('skips what is not read', async () => {
    const tar = await layerTar([
      { name: 'a', content: 'x'.repeat(100_000) },
      { name: 'b', content: 'b' },
    ]);
    const names: string[] = [];
    for await (const { name } of readTar(cut(tar, [4096]))) names.push(name);
    assert.deepEqual(names, ['a', 'b']);
  });

  it('reads nothing out of nothing', async () => assert.deepEqual(await readAll(cut(new Uint8Array(0), [1])), []));

  it('refuses what is no tar, and what ends too early', async () => {
    await assert.rejects(readAll(cut(Buffer.alloc(2048, 'x'), [100])), {
      kind: 'invalid-argument',
      message: 'archive/tar: invalid tar header',
    });
    const tar = await layerTar([{ name: 'a', content: 'x'.repeat(10_000) }]);
    await assert.rejects(readAll(cut(tar.subarray(0, 5000), [512])), {
      kind: 'invalid-argument',
      message: 'unexpected EOF',
    });
    await assert.rejects(readAll(cut(tar.subarray(0, 100), [512])), {
      kind: 'invalid-argument',
      message: 'unexpected EOF',
    });
  });

  it('never fails but with words, whatever the bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), async (bytes) => {
        await readAll(cut(bytes, [700])).catch((error: unknown) =>
          assert.ok(error instanceof Error && error.name === 'EngineError'),
        );
      }),
      { numRuns: 100 },
    );
  });

  it('refuses a name longer than a path can be', async () => {
    const tar = await layerTar([{ name: 'n'.repeat(5000), content: '' }]);
    await assert.rejects(readAll(cut(tar, [512])), { kind: 'invalid-argument', message: /file name too long/ });
  });

  it('throws the error of its source as it is', async () => {
    const cause = new Error('connection reset');
    async function* broken(): AsyncGenerator<Uint8Array, void, undefined> {
      yield (await layerTar([{ name: 'a', content: 'x'.repeat(10_000) }])).subarray(0, 3000);
      throw cause;
    }
    await assert.rejects(readAll(broken()), (error) => error === cause);
  });

  it('lets its reader leave while the source has nothing to say', async () => {
    const forever = Promise.withResolvers<never>();
    async function* halting(): AsyncGenerator<Uint8Array, void, undefined> {
      yield (await layerTar([{ name: 'a', content: 'x' }])).subarray(0, 1024);
      await forever.promise;
    }
    for await (const { name } of readTar(halting())) {
      assert.equal(name, 'a');
      break;
    }
  });
});
