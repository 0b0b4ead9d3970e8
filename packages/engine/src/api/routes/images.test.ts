import assert from 'node:assert/strict';
import { request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { dockerArchive, layerTar, sketchId, type ImageSketch } from '@fairlead/testkit';
import { imageScene, type ImageScene } from '../../core/image/test/image-scene.ts';
import { apiScene, type RecordedOperation } from '../test/api-scene.ts';
import { imageRoutes } from './images.ts';

interface Answer {
  readonly status: number | undefined;
  readonly text: string;
}

interface Scene extends AsyncDisposable {
  readonly images: ImageScene;
  readonly operations: readonly RecordedOperation[];
  ask(method: string, path: string, body?: Uint8Array): Promise<Answer>;
}

async function scene(): Promise<Scene> {
  const images = await imageScene();
  const api = await apiScene(imageRoutes(images));
  return {
    images,
    operations: api.operations,
    async ask(method, path, body) {
      const answered = Promise.withResolvers<Answer>();
      const asking = request({ socketPath: api.path, method, path, agent: false }, (response) => {
        const { statusCode: status } = response;
        void buffer(response).then((bytes) => answered.resolve({ status, text: bytes.toString() }), answered.reject);
      });
      asking.on('error', answered.reject);
      asking.end(body);
      return await answered.promise;
    },
    async [Symbol.asyncDispose]() {
      await api[Symbol.asyncDispose]();
      await images[Symbol.asyncDispose]();
    },
  };
}

async function sketch(tags: readonly string[] = ['one:1']): Promise<ImageSketch> {
  return { layers: [await layerTar([{ name: 'f', content: 'four' }])], config: { Cmd: ['sh'] }, tags };
}

describe('imageRoutes', () => {
  it('loads, lists, shows, tags and removes', async () => {
    await using place = await scene();
    const image = await sketch();
    const id = sketchId(image);
    const loaded = await place.ask('POST', '/v1.44/images/load?quiet=1', await dockerArchive([image]));
    assert.deepEqual(loaded, { status: 200, text: '{"stream":"Loaded image: one:1\\n"}\r\n' });
    assert.deepEqual(await place.ask('POST', '/v1.44/images/one:1/tag?repo=docker.io%2Flibrary%2Ftwo&tag=2'), {
      status: 201,
      text: '',
    });
    const [listed]: readonly unknown[] = JSON.parse((await place.ask('GET', '/v1.44/images/json')).text);
    assert.deepEqual(listed, {
      Id: id,
      ParentId: '',
      RepoTags: ['one:1', 'two:2'],
      RepoDigests: [],
      Created: 1_704_067_200,
      Size: 4,
      SharedSize: -1,
      Labels: null,
      Containers: -1,
    });
    const shown = JSON.parse((await place.ask('GET', '/v1.44/images/docker.io/library/two:2/json')).text);
    assert.deepEqual([shown.Id, shown.Config.Cmd, 'VirtualSize' in shown], [id, ['sh'], false]);
    const [step] = JSON.parse((await place.ask('GET', '/images/two:2/history')).text);
    assert.deepEqual([step.Id, step.Size, step.Tags], [id, 4, ['one:1', 'two:2']]);
    assert.deepEqual(await place.ask('DELETE', '/images/two:2'), { status: 200, text: '[{"Untagged":"two:2"}]\n' });
    assert.equal((await place.ask('DELETE', `/images/${id}`)).status, 200);
    assert.equal((await place.ask('GET', '/images/one:1/json')).text, '{"message":"No such image: one:1"}\n');
    assert.deepEqual(
      place.operations.map(({ verb, end }) => [verb, end?.outcome]),
      [
        ['image-load', 'succeeded'],
        ['image-tag', 'succeeded'],
        ['image-remove', 'succeeded'],
        ['image-remove', 'succeeded'],
      ],
    );
  });

  it('gives older clients what they read', async () => {
    await using place = await scene();
    await place.images.load(await dockerArchive([await sketch([])]));
    const [old]: readonly Record<string, unknown>[] = JSON.parse((await place.ask('GET', '/v1.42/images/json')).text);
    assert.deepEqual(
      [old?.['RepoTags'], old?.['RepoDigests'], old?.['VirtualSize']],
      [['<none>:<none>'], ['<none>@<none>'], 4],
    );
    const [newer]: readonly Record<string, unknown>[] = JSON.parse((await place.ask('GET', '/v1.43/images/json')).text);
    assert.deepEqual([newer?.['RepoTags'], newer?.['RepoDigests']], [[], []]);
  });

  it('says within the stream why a load failed, and notes the operation as failed', async () => {
    await using place = await scene();
    const { status, text } = await place.ask('POST', '/images/load', Buffer.alloc(1000, 'x'));
    const message = 'archive/tar: invalid tar header';
    assert.deepEqual([status, text], [200, `{"errorDetail":{"message":"${message}"},"error":"${message}"}\r\n`]);
    assert.deepEqual(place.operations[0]?.end, { outcome: 'failed', message });
  });

  it('imports, and answers with the id', async () => {
    await using place = await scene();
    const tar = await layerTar([{ name: 'f', content: 'x' }]);
    const path = '/images/create?fromSrc=-&repo=r%3At&message=m&changes=CMD+%5B%22sh%22%5D&changes=ENV+A%3Db';
    const { status, text } = await place.ask('POST', path, tar);
    const image = place.images.directory.resolve('r:t');
    assert.deepEqual([status, text], [200, `{"status":"${image.id}"}\r\n`]);
    assert.deepEqual([image.config.Cmd, image.config.Env], [['sh'], ['A=b']]);
  });

  const refused = [
    {
      method: 'POST',
      path: '/images/create?fromSrc=-&changes=RUN+x',
      status: 400,
      message: 'run is not a valid change command',
    },
    {
      method: 'POST',
      path: '/images/create?fromSrc=-&repo=UP',
      status: 400,
      message: 'invalid reference format: repository name (library/UP) must be lowercase',
    },
    {
      method: 'POST',
      path: '/images/create?fromImage=docker.io%2Flibrary%2Fx&tag=1',
      status: 501,
      message: 'pulling images is not available yet: load or import "x:1" instead',
    },
    {
      method: 'POST',
      path: '/images/create?fromSrc=http%3A%2F%2Fx',
      status: 501,
      message: 'importing from a URL is not available yet: download "http://x" and import the file',
    },
    { method: 'POST', path: '/images/create', status: 400, message: 'fromImage or fromSrc is required' },
    { method: 'POST', path: '/images/nosuch/tag?repo=x', status: 404, message: 'No such image: nosuch:latest' },
    { method: 'DELETE', path: '/images/nosuch', status: 404, message: 'No such image: nosuch:latest' },
    {
      method: 'GET',
      path: '/images/json?filters=%7B%22x%22%3A%5B%221%22%5D%7D',
      status: 400,
      message: "invalid filter 'x'",
    },
  ];
  for (const { method, path, status, message } of refused) {
    it(`${method} ${path} → ${status}`, async () => {
      await using place = await scene();
      assert.deepEqual(await place.ask(method, path), { status, text: `${JSON.stringify({ message })}\n` });
    });
  }
});
