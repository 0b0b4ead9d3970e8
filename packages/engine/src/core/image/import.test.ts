import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { describe, it } from 'node:test';
import { dockerArchive, layerTar } from '@fairlead/testkit';
import { imageHistory } from './history.ts';
import { importImage, type ImportImage } from './import.ts';
import { inspectImage } from './inspect.ts';
import { imageScene, inChunks, never, NOW } from './test/image-scene.ts';

const plain: ImportImage = { repo: undefined, tag: undefined, message: undefined, changes: [], platform: undefined };

describe('importImage', () => {
  it('makes an image of one layer, with the changes asked for', async () => {
    await using place = await imageScene();
    const tar = await layerTar([{ name: 'bin/' }, { name: 'bin/sh', content: 'shell' }]);
    const changes = ['CMD ["sh"]', 'ENV A=b', 'LABEL k=v'];
    const id = await importImage(place, inChunks(gzipSync(tar)), {
      ...plain,
      repo: 'r:t',
      message: 'msg',
      changes,
      signal: never,
    });
    assert.deepEqual(place.events, ['tag r:t', `import ${id}`]);
    const image = await inspectImage(place, 'r:t');
    assert.deepEqual(
      [image.Id, image.RepoTags, image.Comment, image.Size, image.DockerVersion, image.Created],
      [id, ['r:t'], 'msg', 5, '1.2.3', NOW.toISOString().replace('.000', '')],
    );
    assert.deepEqual([image.Config?.Cmd, image.Config?.Env, image.Config?.Labels], [['sh'], ['A=b'], { k: 'v' }]);
    assert.equal(image.RootFS.Layers.length, 1);
    assert.equal(image.GraphDriver.Data?.['UpperDir'], place.layers.path(image.RootFS.Layers[0] ?? ''));
    const [step, ...more] = await imageHistory(place, id);
    assert.deepEqual(more, []);
    assert.deepEqual(step, {
      Comment: 'msg',
      Created: NOW.getTime() / 1000,
      CreatedBy: '',
      Id: id,
      Size: 5,
      Tags: ['r:t'],
    });
  });

  it('says where it is from when nothing else is said', async () => {
    await using place = await imageScene();
    const id = await importImage(place, inChunks(await layerTar([])), { ...plain, signal: never });
    assert.equal((await inspectImage(place, id)).Comment, 'Imported from -');
  });

  it('takes nothing at all for an archive of nothing, as Docker does', async () => {
    await using place = await imageScene();
    const id = await importImage(place, inChunks(new Uint8Array()), { ...plain, signal: never });
    assert.equal((await inspectImage(place, id)).Size, 0);
  });

  const refused: readonly {
    readonly why: string;
    readonly options: Partial<ImportImage>;
    readonly body?: Uint8Array;
  }[] = [
    { why: 'a body that is no tar', options: {}, body: Buffer.alloc(600, 'x') },
    { why: 'a body that is cut short', options: {}, body: gzipSync(Buffer.alloc(10_000)).subarray(0, 20) },
    { why: 'a name that is none', options: { repo: 'UP' } },
    { why: 'a change that is none', options: { changes: ['RUN x'] } },
    { why: 'another operating system', options: { platform: 'windows/amd64' } },
    { why: 'a platform that is none', options: { platform: 'linux/../x' } },
  ];
  for (const { why, options, body } of refused) {
    it(`refuses ${why} and keeps nothing`, async () => {
      await using place = await imageScene();
      const bytes = body ?? (await layerTar([{ name: 'f' }]));
      const importing = importImage(place, inChunks(bytes), { ...plain, ...options, signal: never });
      await assert.rejects(importing, { name: 'EngineError', kind: 'invalid-argument' });
      await place.directory.collect();
      assert.deepEqual([place.directory.all(), place.layers.list(), await place.content.list()], [[], [], []]);
    });
  }
});

describe('imageHistory', () => {
  it('gives sizes to the steps that made layers, newest first', async () => {
    await using place = await imageScene();
    const layers = [await layerTar([{ name: 'a', content: '1' }]), await layerTar([{ name: 'b', content: '22' }])];
    const history = [
      { created: '2020-01-01T00:00:00Z', created_by: 'ADD a' },
      { created_by: 'ENV x', empty_layer: true },
      { created_by: 'ADD b', comment: 'two' },
    ];
    await place.load(await dockerArchive([{ layers, tags: ['h:1'], document: { history } }]));
    const steps = await imageHistory(place, 'h:1');
    assert.deepEqual(
      steps.map(({ CreatedBy, Size, Created }) => [CreatedBy, Size, Created]),
      [
        ['ADD b', 2, 0],
        ['ENV x', 0, 0],
        ['ADD a', 1, Date.parse('2020-01-01') / 1000],
      ],
    );
    assert.deepEqual(steps.map(({ Id, Tags }) => [Id, Tags]).slice(1), [
      ['<missing>', null],
      ['<missing>', null],
    ]);
  });
});
