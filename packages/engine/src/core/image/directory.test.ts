import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { imageScene, NOW } from './test/image-scene.ts';
import { idOf, putImage } from './test/put-image.ts';

describe('ImageDirectory', () => {
  const found = [
    { ref: 'busybox', id: 'aaa1' },
    { ref: 'busybox:latest', id: 'aaa1' },
    { ref: 'docker.io/library/busybox', id: 'aaa1' },
    { ref: 'localhost:5000/team/app:v2', id: 'aab2' },
    { ref: 'aaa', id: 'aaa1' },
    { ref: 'sha256:aab', id: 'aab2' },
    { ref: idOf('aab2'), id: 'aab2' },
    { ref: idOf('aab2').slice(7), id: 'aab2' },
    // A name wins over the start of an id.
    { ref: 'aab', id: 'aaa1', alsoTagged: 'aab:latest' },
  ];
  for (const { ref, id, alsoTagged } of found) {
    it(`finds ${ref}${alsoTagged === undefined ? '' : ', which is a name and a prefix'}`, async () => {
      await using place = await imageScene();
      putImage(place, 'aaa1', { tags: ['busybox', ...(alsoTagged === undefined ? [] : [alsoTagged])] });
      putImage(place, 'aab2', { tags: ['localhost:5000/team/app:v2'] });
      assert.equal(place.directory.resolve(ref).id, idOf(id));
    });
  }

  const missing = [
    { ref: 'nosuch', message: 'No such image: nosuch:latest' },
    { ref: 'docker.io/library/nosuch:1', message: 'No such image: nosuch:1' },
    { ref: 'busybox:2', message: 'No such image: busybox:2' },
    // Ambiguous: both start so.
    { ref: 'aa', message: 'No such image: aa:latest' },
    { ref: 'sha256:aa', message: 'No such image: sha256:aa' },
    { ref: 'f'.repeat(64), message: `No such image: sha256:${'f'.repeat(64)}` },
  ];
  for (const { ref, message } of missing) {
    it(`does not find ${ref.slice(0, 30)}`, async () => {
      await using place = await imageScene();
      putImage(place, 'aaa1', { tags: ['busybox'] });
      putImage(place, 'aab2');
      assert.throws(() => place.directory.resolve(ref), { name: 'EngineError', kind: 'not-found', message });
    });
  }

  for (const ref of ['', 'UPPER', 'a b', '../x', 'a//b', ':1', 'x'.repeat(300)]) {
    it(`refuses ${JSON.stringify(ref.slice(0, 20))} as a reference`, async () => {
      await using place = await imageScene();
      assert.throws(() => place.directory.resolve(ref), { name: 'EngineError', kind: 'invalid-argument' });
    });
  }

  it('gives an image a second name, and leaves it the first', async () => {
    await using place = await imageScene();
    const image = putImage(place, 'a', { tags: ['x:1'] });
    assert.equal(place.directory.giveTag(image.id, 'docker.io/library/y:1', NOW), undefined);
    assert.deepEqual(place.directory.get(image.id)?.tags, ['docker.io/library/x:1', 'docker.io/library/y:1']);
  });

  it('moves a tag, and has it so after a restart', async () => {
    await using place = await imageScene();
    const [old, next] = [putImage(place, 'a', { tags: ['x:1', 'y:1'] }), putImage(place, 'b')];
    assert.equal(place.directory.giveTag(next.id, 'docker.io/library/x:1', NOW)?.id, old.id);
    assert.equal(place.directory.giveTag(next.id, 'docker.io/library/x:1', NOW), undefined);
    for (const directory of [place.directory, place.reopened()]) {
      assert.equal(directory.resolve('x:1').id, next.id);
      assert.deepEqual(directory.get(old.id)?.tags, ['docker.io/library/y:1']);
      assert.deepEqual(directory.get(next.id)?.taggedAt, NOW);
    }
  });
});
