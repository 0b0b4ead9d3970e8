import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isEngineError } from '@fairlead/protocol';
import { LAYER_TIME, layerTar, type LayerEntry } from '@fairlead/testkit';
import { tmpfsRoot } from '../drivers/overlay/test/tmpfs-root.ts';
import { getExtendedAttribute } from './file-nodes.ts';
import { listMounts } from './mounts.ts';
import { makeUnpackJail, unpackTar, type UnpackedTar } from './unpack-tar.ts';

const never = new AbortController().signal;

interface Scene extends AsyncDisposable {
  /** Where the layer goes; `secret` beside it must never change. */
  readonly layer: string;
  readonly root: string;
  unpack(source: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<UnpackedTar>;
}

async function scene(): Promise<Scene> {
  const place = await tmpfsRoot();
  const layer = join(place.path, 'layer');
  mkdirSync(layer);
  mkdirSync(join(place.path, 'outside'));
  writeFileSync(join(place.path, 'outside/secret'), 'untouched');
  const jail = await makeUnpackJail(join(place.path, 'jail'));
  return {
    layer,
    root: place.path,
    unpack: (source, signal = never) => unpackTar({ jail, directory: layer }, source, signal),
    [Symbol.asyncDispose]: () => place[Symbol.asyncDispose](),
  };
}

async function* inChunks(bytes: Uint8Array, size = 65_536): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

async function tarOf(...entries: readonly LayerEntry[]): Promise<AsyncIterable<Uint8Array>> {
  return inChunks(await layerTar(entries));
}

describe('unpackTar', () => {
  it('keeps owner, mode, times, links, attributes, devices and FIFOs', async () => {
    await using place = await scene();
    const found = await place.unpack(
      await tarOf(
        { name: 'bin/', mode: 0o751, uid: 7, gid: 8 },
        {
          name: 'bin/tool',
          content: 'tool',
          mode: 0o4755,
          uid: 1000,
          gid: 1001,
          attributes: { 'trusted.test': 'kept' },
        },
        { name: 'bin/same', type: 'link', linkName: 'bin/tool' },
        { name: 'bin/link', type: 'symlink', linkName: '/bin/tool' },
        { name: 'null', type: 'character-device', device: { major: 1, minor: 3 }, mode: 0o666 },
        { name: 'pipe', type: 'fifo', mode: 0o600 },
      ),
    );
    assert.deepEqual(found, { sizeBytes: 'tool'.length + '/bin/tool'.length, whiteouts: [] });
    const tool = statSync(join(place.layer, 'bin/tool'));
    assert.deepEqual([tool.mode & 0o7777, tool.uid, tool.gid, tool.nlink], [0o4755, 1000, 1001, 2]);
    assert.deepEqual(tool.mtime, LAYER_TIME);
    assert.deepEqual(statSync(join(place.layer, 'bin')).mtime, LAYER_TIME);
    assert.equal(statSync(join(place.layer, 'bin')).mode & 0o7777, 0o751);
    assert.equal(readlinkSync(join(place.layer, 'bin/link')), '/bin/tool');
    assert.equal(getExtendedAttribute(join(place.layer, 'bin/tool'), 'trusted.test')?.toString(), 'kept');
    const device = lstatSync(join(place.layer, 'null'));
    assert.deepEqual([device.isCharacterDevice(), device.rdev], [true, 0x103]);
    assert.ok(lstatSync(join(place.layer, 'pipe')).isFIFO());
  });

  it('names whiteouts by their paths and counts a file with two names once', async () => {
    await using place = await scene();
    const found = await place.unpack(
      await tarOf(
        { name: 'a/' },
        { name: 'a/.wh.gone' },
        { name: '.wh..wh.opq' },
        { name: 'a/x', content: '123' },
        { name: 'a/y', type: 'link', linkName: 'a/x' },
      ),
    );
    assert.deepEqual([...found.whiteouts].toSorted(), ['.wh..wh.opq', 'a/.wh.gone']);
    assert.equal(found.sizeBytes, 3);
  });

  it('takes no bytes at all for an empty layer', async () => {
    await using place = await scene();
    assert.equal((await place.unpack(inChunks(new Uint8Array()))).sizeBytes, 0);
    assert.deepEqual(readdirSync(place.layer), []);
  });

  it('leaves out attributes by which a layer would speak to overlayfs', async () => {
    await using place = await scene();
    await place.unpack(await tarOf({ name: 'd/', attributes: { 'trusted.overlay.redirect': '/../outside' } }));
    assert.equal(getExtendedAttribute(join(place.layer, 'd'), 'trusted.overlay.redirect'), undefined);
  });

  const hostile: readonly { readonly name: string; readonly entries: (outside: string) => readonly LayerEntry[] }[] = [
    { name: 'an absolute name', entries: (outside) => [{ name: `${outside}/secret`, content: 'changed' }] },
    { name: 'a name with dots', entries: () => [{ name: '../outside/secret', content: 'changed' }] },
    {
      name: 'dots behind a directory',
      entries: () => [{ name: 'a/' }, { name: 'a/../../outside/secret', content: 'changed' }],
    },
    {
      name: 'a file through an absolute link',
      entries: (outside) => [
        { name: 'l', type: 'symlink', linkName: outside },
        { name: 'l/secret', content: 'changed' },
      ],
    },
    {
      name: 'a file through a relative link',
      entries: () => [
        { name: 'l', type: 'symlink', linkName: '../outside' },
        { name: 'l/secret', content: 'changed' },
      ],
    },
    {
      name: 'a file through links that lead out step by step',
      entries: () => [
        { name: 'a/' },
        { name: 'a/up', type: 'symlink', linkName: '..' },
        { name: 'a/out', type: 'symlink', linkName: 'up/../outside' },
        { name: 'a/out/secret', content: 'changed' },
      ],
    },
    {
      name: 'a directory in the place of a link',
      entries: (outside) => [
        { name: 'l', type: 'symlink', linkName: outside },
        { name: 'l/', mode: 0o777 },
        { name: 'l/secret', content: 'changed' },
      ],
    },
    {
      name: 'a hard link to a file outside, then written',
      entries: (outside) => [
        { name: 'h', type: 'link', linkName: `${outside}/secret` },
        { name: 'h', content: 'changed' },
      ],
    },
    {
      name: 'a hard link through a symlink',
      entries: (outside) => [
        { name: 'l', type: 'symlink', linkName: outside },
        { name: 'h', type: 'link', linkName: 'l/secret' },
        { name: 'h', content: 'changed', mode: 0o777 },
      ],
    },
    {
      name: 'a change of the jail itself',
      entries: () => [
        { name: '/usr/bin/tar', content: 'changed' },
        { name: '/etc/passwd', content: 'changed' },
      ],
    },
  ];
  for (const { name, entries } of hostile) {
    it(`writes nothing outside for ${name}`, async () => {
      await using place = await scene();
      const outside = join(place.root, 'outside');
      chmodSync(join(outside, 'secret'), 0o640);
      const before = readdirSync(place.root).toSorted();
      await place.unpack(await tarOf(...entries(outside))).catch((error: unknown) => assert.ok(isEngineError(error)));
      assert.equal(readFileSync(join(outside, 'secret'), 'utf8'), 'untouched');
      const { mode, nlink } = statSync(join(outside, 'secret'));
      assert.deepEqual([mode & 0o777, nlink], [0o640, 1]);
      assert.deepEqual(readdirSync(outside), ['secret']);
      assert.deepEqual(readdirSync(place.root).toSorted(), before);
      assert.deepEqual(readdirSync(join(place.root, 'jail/layer')), []);
      assert.deepEqual(
        (await listMounts(place.root)).map(({ target }) => target),
        [place.root],
      );
    });
  }

  const refused: readonly { readonly name: string; readonly bytes: () => Promise<Uint8Array> }[] = [
    { name: 'what is no tar', bytes: async () => Buffer.alloc(4096, 'x') },
    {
      name: 'a tar that is cut short within a file',
      bytes: async () => (await layerTar([{ name: 'f', content: Buffer.alloc(100_000, 1) }])).subarray(0, 50_000),
    },
    {
      name: 'a name longer than any file system allows',
      bytes: async () => await layerTar([{ name: 'n'.repeat(300), content: 'x' }]),
    },
  ];
  for (const { name, bytes } of refused) {
    it(`refuses ${name}`, async () => {
      await using place = await scene();
      await assert.rejects(place.unpack(inChunks(await bytes())), { name: 'EngineError', kind: 'invalid-argument' });
    });
  }

  it('does not let a header claim more memory than tar may have', async () => {
    await using place = await scene();
    // A pax header of 3 GiB: tar allocates what the header says before it reads it.
    const header = Buffer.from(await layerTar([{ name: 'p', content: '' }])).subarray(0, 512);
    header.write('x', 156);
    header.write('30000000000\0', 124);
    header.fill(' ', 148, 156);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    await assert.rejects(place.unpack(inChunks(header)), { name: 'EngineError' });
  });

  it('ends with the reason when it is aborted', async () => {
    await using place = await scene();
    const caller = new AbortController();
    async function* endless(): AsyncGenerator<Uint8Array, void, undefined> {
      yield (await layerTar([{ name: 'f', content: Buffer.alloc(200_000, 1) }])).subarray(0, 100_000);
      caller.abort(new Error('client hung up'));
      for (;;) yield Buffer.alloc(65_536);
    }
    await assert.rejects(place.unpack(endless(), caller.signal), /client hung up/);
  });

  it('throws the error of its source', async () => {
    await using place = await scene();
    async function* broken(): AsyncGenerator<Uint8Array, void, undefined> {
      yield Buffer.alloc(512);
      throw new Error('disk on fire');
    }
    await assert.rejects(place.unpack(broken()), /disk on fire/);
    assert.ok(existsSync(place.layer));
  });
});
