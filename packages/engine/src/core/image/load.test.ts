import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, it } from 'node:test';
import { imageId } from '@fairlead/protocol';
import {
  configDocument,
  dockerArchive,
  legacyDockerArchive,
  layerTar,
  ociArchive,
  sketchId,
  type ImageSketch,
} from '@fairlead/testkit';
import { restoreImages } from './restore.ts';
import { loadImages } from './load.ts';
import { imageScene, inChunks, never, type ImageScene } from './test/image-scene.ts';

async function sketch(name: string, tags: readonly string[] = [`${name}:1`]): Promise<ImageSketch> {
  return {
    layers: [await layerTar([{ name: 'base', content: 'base' }]), await layerTar([{ name, content: `${name}!` }])],
    config: { Cmd: ['sh'], Env: ['A=b'], Labels: { made: 'here' }, ExposedPorts: { '80/tcp': {} } },
    tags,
  };
}

function streams(lines: readonly { readonly stream?: string }[]): readonly (string | undefined)[] {
  return lines.map(({ stream }) => stream);
}

function stored(place: ImageScene): Promise<readonly string[]> {
  return place.content.list();
}

describe('loadImages', () => {
  const forms = [
    { name: 'docker save since 25.0', make: dockerArchive },
    { name: 'docker save before 25.0', make: legacyDockerArchive },
    { name: 'an OCI layout', make: ociArchive },
    {
      name: 'docker save through gzip',
      make: async (sketches: readonly ImageSketch[]) => gzipSync(await dockerArchive(sketches)),
    },
    {
      name: 'docker save through zstd',
      make: async (sketches: readonly ImageSketch[]) => zstdCompressSync(await dockerArchive(sketches)),
    },
  ];
  for (const { name, make } of forms) {
    it(`takes in ${name}`, async () => {
      await using place = await imageScene();
      const image = await sketch('one');
      const lines = await place.load(await make([image]));
      assert.deepEqual(streams(lines), ['Loaded image: one:1\n']);
      const record = place.directory.resolve('one:1');
      assert.equal(record.id, sketchId(image));
      assert.equal(record.sizeBytes, 'base'.length + 'one!'.length);
      assert.deepEqual(record.config, image.config);
      assert.deepEqual(
        record.layerIds.map((chainId) => place.layers.has(chainId)),
        [true, true],
      );
      assert.deepEqual(await place.content.readWhole(record.id, 10_000), configDocument(image));
      assert.deepEqual(place.events, [`load ${record.id}`]);
      assert.deepEqual(
        [...new Set([record.id, ...record.layerBlobs])].toSorted(),
        [...(await stored(place))].toSorted(),
      );
    });
  }

  it('unpacks a layer that two images share once, also when a link stands for it', async () => {
    await using place = await imageScene();
    const [one, two] = [await sketch('one'), await sketch('two')];
    await place.load(await legacyDockerArchive([one, two]));
    assert.equal(place.layers.list().length, 3);
    assert.equal(place.directory.all().length, 2);
  });

  it('names ids when there is no tag, and moves a tag that another image had', async () => {
    await using place = await imageScene();
    const unnamed = await sketch('one', []);
    assert.deepEqual(streams(await place.load(await dockerArchive([unnamed]))), [
      `Loaded image ID: ${sketchId(unnamed)}\n`,
    ]);
    await place.load(await dockerArchive([await sketch('two', ['same:1'])]));
    const old = place.directory.resolve('same:1').id;
    const lines = await place.load(await dockerArchive([await sketch('three', ['same:1'])]));
    assert.deepEqual(streams(lines), [
      `The image same:1 already exists, renaming the old one with ID ${old} to empty string\n`,
      'Loaded image: same:1\n',
    ]);
    assert.deepEqual(place.directory.get(old)?.tags, []);
  });

  it('tells of layers that are new when it is not quiet, and their last line is complete', async () => {
    await using place = await imageScene();
    const image = await sketch('one');
    const lines = await place.load(await dockerArchive([image]), { quiet: false });
    const layers = lines.filter(({ status }) => status === 'Loading layer');
    assert.equal(new Set(layers.map(({ id }) => id)).size, 2);
    const last = layers.at(-1);
    assert.equal(last?.progressDetail?.current, last?.progressDetail?.total);
    assert.match(last?.progress ?? '', /^\[=+>\] {2}2\.048kB\/2\.048kB$/);
    assert.deepEqual(streams(await place.load(await dockerArchive([image]), { quiet: false })), [
      'Loaded image: one:1\n',
    ]);
  });

  it('takes the same image in from many sides at once', async () => {
    await using place = await imageScene();
    const archive = await dockerArchive([await sketch('one')]);
    await Promise.all([1, 2, 3].map(() => place.load(archive)));
    assert.equal(place.directory.all().length, 1);
    assert.equal(place.layers.list().length, 2);
  });

  it('keeps what a removal at the same time frees', async () => {
    await using place = await imageScene();
    const archive = await dockerArchive([await sketch('one')]);
    await place.load(archive);
    const loading = place.load(archive);
    place.directory.forget(place.directory.resolve('one:1').id);
    await place.directory.collect();
    await loading;
    const { layerIds } = place.directory.resolve('one:1');
    assert.deepEqual(
      layerIds.map((chainId) => place.layers.has(chainId)),
      [true, true],
    );
    assert.deepEqual(place.failures, []);
  });

  it('chooses the image of its own platform in an index, and passes over attestations', async () => {
    await using place = await imageScene();
    const image = await sketch('one', []);
    const config = configDocument(image);
    const blobs = new Map<string, Uint8Array>();
    const add = (bytes: Uint8Array, more: object): object => {
      const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
      blobs.set(`blobs/sha256/${digest.slice(7)}`, bytes);
      return { digest, size: bytes.byteLength, ...more };
    };
    const manifest = { config: add(config, {}), layers: image.layers.map((layer) => add(layer, {})) };
    const amd64 = add(Buffer.from(JSON.stringify(manifest)), { platform: { os: 'linux', architecture: 'amd64' } });
    const other = { digest: `sha256:${'0'.repeat(64)}`, size: 1, platform: { os: 'linux', architecture: 's390x' } };
    const attestation = {
      digest: `sha256:${'1'.repeat(64)}`,
      size: 1,
      annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
    };
    const inner = add(Buffer.from(JSON.stringify({ manifests: [other, attestation, amd64] })), {
      annotations: {
        'io.containerd.image.name': 'docker.io/library/multi:2',
        'org.opencontainers.image.ref.name': '2',
      },
    });
    const index = { name: 'index.json', content: JSON.stringify({ schemaVersion: 2, manifests: [inner] }) };
    const archive = await layerTar([...Array.from(blobs, ([name, content]) => ({ name, content })), index]);
    assert.deepEqual(streams(await place.load(archive)), ['Loaded image: multi:2\n']);
  });

  const good = { rootfs: { type: 'layers', diff_ids: [] } };
  const refused: readonly {
    readonly why: string;
    readonly archive: () => Promise<Uint8Array>;
    readonly message: RegExp;
  }[] = [
    { why: 'an empty body', archive: async () => new Uint8Array(0), message: /does not contain a manifest\.json/ },
    { why: 'garbage', archive: async () => Buffer.alloc(2000, 'x'), message: /archive\/tar: invalid tar header/ },
    {
      why: 'half an archive',
      archive: async () => (await dockerArchive([await sketch('one')])).subarray(0, 3000),
      message: /unexpected EOF/,
    },
    {
      why: 'half a gzip',
      archive: async () => gzipSync(await dockerArchive([await sketch('one')])).subarray(0, 300),
      message: /unexpected EOF/,
    },
    {
      why: 'a manifest that is no JSON',
      archive: () => layerTar([{ name: 'manifest.json', content: '{' }]),
      message: /invalid manifest\.json: not JSON/,
    },
    {
      why: 'a manifest that is no list',
      archive: () => layerTar([{ name: 'manifest.json', content: '{}' }]),
      message: /not a list/,
    },
    {
      why: 'a config that is not there',
      archive: () => layerTar([{ name: 'manifest.json', content: '[{"Config":"../../etc/passwd","Layers":[]}]' }]),
      message: /does not contain "\.\.\/\.\.\/etc\/passwd"/,
    },
    {
      why: 'another number of layers than the config has',
      archive: () =>
        layerTar([
          { name: 'c', content: JSON.stringify(good) },
          { name: 'l', content: 'x' },
          { name: 'manifest.json', content: '[{"Config":"c","Layers":["l"]}]' },
        ]),
      message: /layers length mismatch: expected 0, got 1/,
    },
    {
      why: 'an image of another operating system',
      archive: async () => await dockerArchive([{ layers: [], document: { os: 'windows' } }]),
      message: /cannot load windows image on linux/,
    },
    {
      why: 'a layer that is not what the config says',
      archive: async () =>
        await dockerArchive([
          {
            ...(await sketch('one')),
            document: { rootfs: { diff_ids: [0, 1].map(() => `sha256:${'2'.repeat(64)}`) } },
          },
        ]),
      message: /layer has digest sha256:[0-9a-f]{64}, expected sha256:2{64}/,
    },
    {
      why: 'more layers than an image may have',
      archive: async () => await dockerArchive([{ layers: Array.from({ length: 126 }, () => new Uint8Array(1024)) }]),
      message: /max depth exceeded/,
    },
    {
      why: 'a tag that is none',
      archive: async () => await dockerArchive([await sketch('one', ['UP:1'])]),
      message: /must be lowercase/,
    },
    {
      why: 'links that go round',
      archive: () =>
        layerTar([
          { name: 'manifest.json', type: 'symlink', linkName: 'b' },
          { name: 'b', type: 'symlink', linkName: 'manifest.json' },
        ]),
      message: /does not contain a manifest\.json/,
    },
  ];
  for (const { why, archive, message } of refused) {
    it(`refuses ${why} and keeps nothing`, async () => {
      await using place = await imageScene();
      await assert.rejects(place.load(await archive()), { name: 'EngineError', message });
      await place.directory.collect();
      assert.deepEqual([place.directory.all(), place.layers.list(), await stored(place)], [[], [], []]);
      assert.deepEqual(place.events, []);
    });
  }

  it('keeps nothing when the client goes away in the middle', async () => {
    await using place = await imageScene();
    const archive = await dockerArchive([
      { layers: [await layerTar([{ name: 'big', content: Buffer.alloc(300_000, 7) }])] },
    ]);
    const caller = new AbortController();
    async function* halting(): AsyncGenerator<Uint8Array, void, undefined> {
      yield* inChunks(archive.subarray(0, 200_000));
      caller.abort(new Error('hung up'));
      throw new Error('connection reset');
    }
    await assert.rejects(
      Array.fromAsync(loadImages(place, halting(), { quiet: true, signal: caller.signal })),
      /connection reset|hung up/,
    );
    await place.directory.collect();
    assert.deepEqual(await stored(place), []);
  });
});

describe('restoreImages', () => {
  it('unpacks again what a power cut took, and a sweep then deletes what no image names', async () => {
    await using place = await imageScene();
    await place.load(await dockerArchive([await sketch('one')]));
    const record = place.directory.resolve('one:1');
    await place.layers.remove(record.layerIds[1] ?? '');
    await place.content.write(inChunks(Buffer.from('left over')), { bytesMax: 100, signal: never });
    const directory = place.reopened();
    await restoreImages({ ...place, directory }, never);
    await directory.collect();
    assert.deepEqual(
      record.layerIds.map((chainId) => place.layers.has(chainId)),
      [true, true],
    );
    assert.equal((await stored(place)).length, 3);
  });

  it('says which image it cannot mend, and goes on', async () => {
    await using place = await imageScene();
    await place.load(await dockerArchive([await sketch('one')]));
    const record = place.directory.resolve('one:1');
    await place.layers.remove(record.layerIds[1] ?? '');
    await place.content.delete(record.layerBlobs[1] ?? '');
    await restoreImages(place, never);
    assert.equal(place.failures.length, 1);
    assert.equal(place.directory.get(imageId(record.id))?.id, record.id);
  });
});
