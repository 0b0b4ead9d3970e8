import assert from 'node:assert/strict';
import { buffer } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { dockerArchive, layerTar, ociArchive, sketchId, type ImageSketch } from '@fairlead/testkit';
import { readTar } from '../../host/tar.ts';
import { saveImages } from './save.ts';
import { imageScene, inChunks, never, type ImageScene } from './test/image-scene.ts';

async function sketch(name: string, tags: readonly string[] = [`${name}:1`]): Promise<ImageSketch> {
  return {
    layers: [await layerTar([{ name: 'base', content: 'base' }]), await layerTar([{ name, content: `${name}!` }])],
    config: { Cmd: ['sh'], Labels: { made: 'here' } },
    tags,
  };
}

async function save(scene: ImageScene, ...names: readonly string[]): Promise<Buffer> {
  return await buffer(await saveImages(scene, names, { signal: never }));
}

async function filesOf(archive: Uint8Array): Promise<ReadonlyMap<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for await (const { name, content } of readTar(inChunks(archive))) files.set(name, await buffer(content));
  return files;
}

async function tagsIn(archive: Uint8Array): Promise<unknown> {
  const manifest = JSON.parse(String((await filesOf(archive)).get('manifest.json'))) as {
    readonly RepoTags: unknown;
  }[];
  return manifest.map(({ RepoTags }) => RepoTags);
}

describe('saveImages', () => {
  for (const [form, make] of [
    ['plain', dockerArchive],
    ['compressed', ociArchive],
  ] as const) {
    it(`gives back what was loaded with ${form} layers, under the same ids and tags`, async () => {
      await using scene = await imageScene();
      const images = [await sketch('one', ['one:1', 'one:2']), await sketch('two')];
      await scene.load(await make(images));
      const archive = await save(scene, 'one', 'two:1');
      await using other = await imageScene();
      await other.load(archive);
      const found = other.directory.all().map(({ id, tags }) => ({ id, tags }));
      assert.deepEqual(new Set(found.map(({ id }) => id)), new Set(images.map(sketchId)));
      assert.deepEqual(found.flatMap(({ tags }) => tags).toSorted(), [
        'docker.io/library/one:1',
        'docker.io/library/one:2',
        'docker.io/library/two:1',
      ]);
      // What is saved does not depend on how it came.
      assert.deepEqual(await save(other, 'one', 'two:1'), archive);
    });
  }

  it('writes what images share once, for Docker of every age', async () => {
    await using scene = await imageScene();
    await scene.load(await dockerArchive([await sketch('one'), await sketch('two')]));
    const files = await filesOf(await save(scene, 'one:1', 'two:1'));
    // Three layers, two configs, two manifests.
    assert.equal([...files.keys()].filter((name) => /^blobs\/sha256\/[0-9a-f]{64}$/.test(name)).length, 7);
    assert.deepEqual(
      [...files.keys()].filter((name) => !name.startsWith('blobs/')),
      ['index.json', 'manifest.json', 'oci-layout', 'repositories'],
    );
    const index = JSON.parse(String(files.get('index.json'))) as {
      readonly manifests: { readonly annotations: object }[];
    };
    assert.deepEqual(index.manifests[0]?.annotations, {
      'io.containerd.image.name': 'docker.io/library/one:1',
      'org.opencontainers.image.ref.name': '1',
    });
    const [first] = JSON.parse(String(files.get('manifest.json'))) as { readonly Layers: string[] }[];
    const { one } = JSON.parse(String(files.get('repositories'))) as { readonly one: object };
    assert.deepEqual(one, { 1: first?.Layers.at(-1)?.replace('blobs/sha256/', '') });
  });

  it('takes the tags that a name stands for, and none with an id', async () => {
    await using scene = await imageScene();
    const one = await sketch('one', ['one:1', 'one:2', 'other:1']);
    await scene.load(await dockerArchive([one]));
    const id = sketchId(one);
    assert.deepEqual(await tagsIn(await save(scene, 'one:2')), [['one:2']]);
    assert.deepEqual(await tagsIn(await save(scene, 'one')), [['one:1', 'one:2']]);
    assert.deepEqual(await tagsIn(await save(scene, id)), [null]);
    assert.deepEqual(await tagsIn(await save(scene, id.slice(7, 19), 'other')), [['other:1']]);
    assert.deepEqual(await tagsIn(await save(scene)), []);
  });

  it('tells of each image', async () => {
    await using scene = await imageScene();
    const one = await sketch('one');
    await scene.load(await dockerArchive([one]));
    scene.events.length = 0;
    await save(scene, 'one', 'one:1');
    assert.deepEqual(scene.events, [`save ${sketchId(one)}`]);
  });

  it('refuses names that nobody has before the first byte', async () => {
    await using scene = await imageScene();
    for (const [name, words] of [
      ['nosuch', 'No such image: nosuch'],
      ['nosuch:1', 'No such image: nosuch:1'],
      [`sha256:${'0'.repeat(64)}`, `No such image: sha256:${'0'.repeat(64)}`],
    ] as const) {
      await assert.rejects(saveImages(scene, [name], { signal: never }), { kind: 'not-found', message: words });
    }
  });

  it('keeps what it writes, although the image is removed meanwhile', async () => {
    await using scene = await imageScene();
    const one = await sketch('one');
    await scene.load(await dockerArchive([one]));
    const chunks = await saveImages(scene, ['one'], { signal: never });
    const [image] = scene.directory.all();
    if (image !== undefined) scene.directory.forget(image.id);
    await scene.directory.collect();
    assert.deepEqual(await tagsIn(await buffer(chunks)), [['one:1']]);
    await scene.directory.collect();
    assert.deepEqual(await scene.content.list(), []);
  });
});
