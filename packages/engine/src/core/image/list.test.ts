import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseFilters } from '@fairlead/protocol';
import { listImages } from './list.ts';
import { imageScene, NOW, type ImageScene } from './test/image-scene.ts';
import { putImage } from './test/put-image.ts';

const DAY_MS = 86_400_000;

function ago(days: number): Date {
  return new Date(NOW.getTime() - days * DAY_MS);
}

/** `a` is newest, `d` has no name. */
function fill(place: ImageScene): void {
  putImage(place, 'c', { tags: ['team/app:1'], createdAt: ago(3), config: { Labels: { env: 'prod', k: '' } } });
  putImage(place, 'a', {
    tags: ['busybox:latest', 'busybox:1.36'],
    createdAt: ago(1),
    config: { Labels: { env: 'dev' } },
  });
  putImage(place, 'd', { createdAt: ago(4) });
  putImage(place, 'b', { tags: ['localhost:5000/team/app:2'], createdAt: ago(2) });
}

describe('listImages', () => {
  const cases: readonly { readonly filters: object; readonly ids: string }[] = [
    { filters: {}, ids: 'abcd' },
    { filters: { dangling: ['true'] }, ids: 'd' },
    { filters: { dangling: ['0'] }, ids: 'abc' },
    { filters: { label: ['env'] }, ids: 'ac' },
    { filters: { label: ['env=prod', 'k'] }, ids: 'c' },
    { filters: { 'label!': ['env'] }, ids: 'bd' },
    { filters: { before: ['b'] }, ids: 'cd' },
    { filters: { since: ['team/app:1'] }, ids: 'ab' },
    { filters: { since: ['d'], before: ['busybox'] }, ids: 'bc' },
    { filters: { until: ['60h'] }, ids: 'cd' },
    { filters: { until: [`${ago(2.5).getTime() / 1000}`] }, ids: 'cd' },
    { filters: { until: [ago(2.5).toISOString()] }, ids: 'cd' },
    { filters: { reference: ['busybox'] }, ids: 'a' },
    { filters: { reference: ['*'] }, ids: 'a' },
    { filters: { reference: ['*/app'] }, ids: 'c' },
    { filters: { reference: ['*/*/app:*'] }, ids: 'b' },
    { filters: { reference: ['b[a-u]sy?ox:1*', 'nosuch'] }, ids: 'a' },
  ];
  for (const { filters, ids } of cases) {
    it(`${JSON.stringify(filters)} → ${ids}`, async () => {
      await using place = await imageScene();
      fill(place);
      const listed = listImages(place, parseFilters(JSON.stringify(filters)));
      assert.equal(listed.map(({ image }) => image.id.charAt(7)).join(''), ids);
    });
  }

  it('shows of an image only the tags that were asked for', async () => {
    await using place = await imageScene();
    fill(place);
    assert.deepEqual(listImages(place, parseFilters('{"reference":["busybox:1*"]}'))[0]?.tags, ['busybox:1.36']);
  });

  const refused: readonly { readonly filters: object; readonly kind: string }[] = [
    { filters: { nosuch: ['1'] }, kind: 'invalid-argument' },
    { filters: { dangling: ['maybe'] }, kind: 'invalid-argument' },
    { filters: { reference: ['[a'] }, kind: 'invalid-argument' },
    { filters: { until: ['yesterday'] }, kind: 'invalid-argument' },
    { filters: { before: ['nosuch'] }, kind: 'not-found' },
  ];
  for (const { filters, kind } of refused) {
    it(`refuses ${JSON.stringify(filters)}`, async () => {
      await using place = await imageScene();
      fill(place);
      assert.throws(() => listImages(place, parseFilters(JSON.stringify(filters))), { name: 'EngineError', kind });
    });
  }
});
