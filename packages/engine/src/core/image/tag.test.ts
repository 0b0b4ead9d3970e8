import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { tagImage } from './tag.ts';
import { imageScene } from './test/image-scene.ts';
import { putImage } from './test/put-image.ts';

describe('tagImage', () => {
  const given = [
    { repo: 'docker.io/library/x', tag: 'foo', name: 'x:foo' },
    { repo: 'x', tag: undefined, name: 'x:latest' },
    { repo: 'x:1', tag: undefined, name: 'x:1' },
    { repo: 'x:1', tag: '2', name: 'x:2' },
    { repo: 'localhost:5000/a/b', tag: '1', name: 'localhost:5000/a/b:1' },
  ];
  for (const { repo, tag, name } of given) {
    it(`${repo} and ${tag ?? 'no tag'} give ${name}`, async () => {
      await using place = await imageScene();
      const image = putImage(place, 'a', { config: { Labels: { k: 'v' } } });
      tagImage(place, 'aa'.slice(1), { repo, tag });
      assert.equal(place.directory.resolve(name).id, image.id);
      assert.deepEqual(place.events, [`tag ${name}`]);
    });
  }

  const refused = [
    { repo: undefined, tag: undefined, message: 'invalid reference format' },
    { repo: `x@sha256:${'1'.repeat(64)}`, tag: undefined, message: 'refusing to create a tag with a digest reference' },
    { repo: 'sha256', tag: 'x', message: 'refusing to create an ambiguous tag using digest algorithm as name' },
    { repo: 'x', tag: '-bad', message: 'invalid tag format' },
    { repo: 'x', tag: 'a'.repeat(129), message: 'invalid tag format' },
    { repo: 'f'.repeat(64), tag: undefined, message: /cannot specify 64-byte hexadecimal strings/ },
  ];
  for (const { repo, tag, message } of refused) {
    it(`refuses ${repo?.slice(0, 20)} and ${tag?.slice(0, 5)}`, async () => {
      await using place = await imageScene();
      putImage(place, 'a');
      assert.throws(() => tagImage(place, 'a', { repo, tag }), { kind: 'invalid-argument', message });
    });
  }

  it('does not find what is not there', async () => {
    await using place = await imageScene();
    assert.throws(() => tagImage(place, 'nosuch', { repo: 'x', tag: undefined }), { kind: 'not-found' });
  });
});
