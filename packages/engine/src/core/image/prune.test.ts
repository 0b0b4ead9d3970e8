import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NO_FILTERS, parseFilters } from '@fairlead/protocol';
import { dockerArchive, layerTar } from '@fairlead/testkit';
import { OneAtATime } from '../../lib/one-at-a-time.ts';
import { pruneIsRunning } from '../prune/prune-deps.ts';
import { pruneImages } from './prune.ts';
import { imageScene, NOW, type ImageScene } from './test/image-scene.ts';
import { idOf, putImage, userOf } from './test/put-image.ts';
import { imagesUsage } from './usage.ts';

function depsOf(place: ImageScene): Parameters<typeof pruneImages>[0] {
  return {
    ...place,
    onePrune: new OneAtATime(pruneIsRunning),
    publishEvent: ({ type, action, attributes }) =>
      void place.events.push(`${type} ${action} ${attributes['reclaimed']}`),
  };
}

const ALL = parseFilters('{"dangling":["false"]}');

describe('pruneImages', () => {
  it('removes images without a name that no container uses', async () => {
    await using place = await imageScene();
    putImage(place, 'aa');
    place.users.push(userOf(putImage(place, 'bb'), false));
    putImage(place, 'cc', { tags: ['x:1'] });
    assert.deepEqual(await pruneImages(depsOf(place), NO_FILTERS), {
      ImagesDeleted: [{ Deleted: idOf('aa') }],
      SpaceReclaimed: 0,
    });
    assert.deepEqual(place.events, [`delete ${idOf('aa')}`, 'image prune 0']);
  });

  it('with dangling=false removes all that no container uses, name by name', async () => {
    await using place = await imageScene();
    putImage(place, 'aa', { tags: ['x:1', 'y:2'] });
    place.users.push(userOf(putImage(place, 'bb', { tags: ['z:3'] }), false));
    const { ImagesDeleted: deleted } = await pruneImages(depsOf(place), ALL);
    assert.deepEqual(deleted, [{ Untagged: 'x:1' }, { Untagged: 'y:2' }, { Deleted: idOf('aa') }]);
    assert.deepEqual(
      place.directory.all().map(({ id }) => id),
      [idOf('bb')],
    );
  });

  it('says how much the layers held that are gone', async () => {
    await using place = await imageScene();
    const shared = await layerTar([{ name: 'shared', content: 'x'.repeat(1000) }]);
    const own = await layerTar([{ name: 'own', content: 'y'.repeat(70) }]);
    await place.load(
      await dockerArchive([
        { layers: [shared], config: {}, tags: ['base:1'] },
        { layers: [shared, own], config: {}, tags: ['more:1'] },
      ]),
    );
    const [base, more] = ['base:1', 'more:1'].map((ref) => place.directory.resolve(ref));
    assert.ok(base !== undefined && more !== undefined);
    place.users.push(userOf(base, false));
    const usage = imagesUsage(place);
    assert.equal(usage.layersBytes, 1070);
    assert.deepEqual(
      new Map(usage.images.map(({ image, containers, sharedBytes }) => [image.id, [containers, sharedBytes]])),
      new Map([
        [base.id, [1, 1000]],
        [more.id, [0, 1000]],
      ]),
    );
    const report = await pruneImages(depsOf(place), ALL);
    assert.equal(report.SpaceReclaimed, 70);
    assert.equal(imagesUsage(place).layersBytes, 1000);
  });

  it('leaves what the filters leave', async () => {
    await using place = await imageScene();
    putImage(place, 'aa', { createdAt: NOW });
    putImage(place, 'bb', { createdAt: new Date(NOW.getTime() - 7_200_000), config: { Labels: { keep: '' } } });
    for (const filters of ['{"until":["1h"],"label!":["keep"]}', '{"label":["nosuch"]}']) {
      assert.equal((await pruneImages(depsOf(place), parseFilters(filters))).ImagesDeleted, null);
    }
    await assert.rejects(pruneImages(depsOf(place), parseFilters('{"before":["x"]}')), {
      message: "invalid filter 'before'",
    });
  });
});
