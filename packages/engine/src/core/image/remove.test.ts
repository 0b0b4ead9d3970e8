import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { shortId } from '@fairlead/protocol';
import { dockerArchive, layerTar } from '@fairlead/testkit';
import { removeImage } from './remove.ts';
import type { ImageRecord } from './record.ts';
import { imageScene, NOW, type ImageScene } from './test/image-scene.ts';
import { idOf, putImage, userOf } from './test/put-image.ts';

const id = idOf('abc123');
const short = shortId(id);

/** Docker's matrix. Source: engine-api 9.1 and moby v28, daemon/images/image_delete.go. */
interface Case {
  readonly tags: readonly string[];
  readonly user?: 'running' | 'stopped';
  readonly ref: string;
  readonly force?: boolean;
  /** What is answered; `Deleted` without layers. */
  readonly answers?: readonly string[];
  readonly refused?: RegExp;
}

const cases: readonly Case[] = [
  { tags: ['x:1'], ref: 'x:1', answers: ['Untagged x:1', `Deleted ${id}`] },
  { tags: ['x:1', 'y:2'], ref: 'x:1', answers: ['Untagged x:1'] },
  { tags: ['x:1', 'y:2'], ref: 'y:2', user: 'running', answers: ['Untagged y:2'] },
  {
    tags: ['x:1'],
    ref: 'x:1',
    user: 'running',
    refused:
      /unable to remove repository reference "x:1" \(must force\) - container [0-9a-f]{12} is using its referenced image abc123000000$/,
  },
  { tags: ['x:1'], ref: 'x:1', user: 'stopped', refused: /unable to remove repository reference/ },
  { tags: ['x:1'], ref: 'x:1', user: 'running', force: true, answers: ['Untagged x:1'] },
  { tags: ['x:1'], ref: 'x:1', user: 'stopped', force: true, answers: ['Untagged x:1', `Deleted ${id}`] },
  { tags: ['x:1'], ref: 'abc1', answers: ['Untagged x:1', `Deleted ${id}`] },
  { tags: ['x:1'], ref: id, answers: ['Untagged x:1', `Deleted ${id}`] },
  { tags: [], ref: 'abc', answers: [`Deleted ${id}`] },
  {
    tags: ['x:1', 'x:2'],
    ref: 'abc',
    refused: new RegExp(
      `unable to delete ${short} \\(must be forced\\) - image is referenced in multiple repositories`,
    ),
  },
  { tags: ['x:1', 'x:2'], ref: 'abc', force: true, answers: ['Untagged x:1', 'Untagged x:2', `Deleted ${id}`] },
  {
    tags: ['x:1'],
    ref: 'abc',
    user: 'running',
    refused: /\(cannot be forced\) - image is being used by running container [0-9a-f]{12}$/,
  },
  { tags: ['x:1'], ref: 'abc', user: 'running', force: true, refused: /\(cannot be forced\)/ },
  {
    tags: ['x:1'],
    ref: 'abc',
    user: 'stopped',
    refused: /\(must be forced\) - image is being used by stopped container/,
  },
  { tags: ['x:1'], ref: 'abc', user: 'stopped', force: true, answers: ['Untagged x:1', `Deleted ${id}`] },
];

describe('removeImage', () => {
  for (const { tags, user, ref, force = false, answers, refused } of cases) {
    const words = `${ref === id ? 'its id' : ref} of [${tags.join(', ')}], ${user ?? 'unused'}${force ? ', by force' : ''}`;
    it(`${words} → ${answers?.map((answer) => answer.slice(0, 12)).join(', ') ?? 'conflict'}`, async () => {
      await using place = await imageScene();
      const image = putImage(place, 'abc123', { tags });
      if (user !== undefined) place.users.push(userOf(image, user === 'running'));
      const removed = removeImage(place, ref, { force });
      if (refused !== undefined) {
        await assert.rejects(removed, { name: 'EngineError', kind: 'conflict', message: refused });
        assert.deepEqual(place.directory.get(id), image);
        assert.deepEqual(place.events, []);
        return;
      }
      const said = (await removed).map((answer) => Object.entries(answer).flat().join(' '));
      assert.deepEqual(said, answers);
      assert.equal(place.directory.get(id) === undefined, said.includes(`Deleted ${id}`));
      assert.equal(place.events.length, said.length);
    });
  }

  /** c is made of b, b of a; a and b have no names. */
  function lineage(place: ImageScene): readonly [a: ImageRecord, b: ImageRecord, c: ImageRecord] {
    const a = putImage(place, 'aaa');
    const b = putImage(place, 'bbb', { parentId: a.id });
    return [a, b, putImage(place, 'ccc', { parentId: b.id, tags: ['c:1'] })];
  }

  it('takes nameless images along that it was made of, unless it is told not to', async () => {
    for (const keepParents of [false, true]) {
      await using place = await imageScene();
      const [a, b, c] = lineage(place);
      const answers = await removeImage(place, 'c:1', { force: false, keepParents });
      const gone = keepParents ? [c] : [c, b, a];
      assert.deepEqual(answers, [{ Untagged: 'c:1' }, ...gone.map(({ id: Deleted }) => ({ Deleted }))]);
    }
  });

  it('stops at what has a name, is used, or others were made of', async () => {
    const users: readonly ((place: ImageScene, b: ImageRecord) => void)[] = [
      (place, b) => place.directory.giveTag(b.id, 'docker.io/library/b:1', NOW),
      (place, b) => place.users.push(userOf(b, false)),
      (place, b) => putImage(place, 'ddd', { parentId: b.id }),
    ];
    for (const use of users) {
      await using place = await imageScene();
      const [, b, c] = lineage(place);
      use(place, b);
      const answers = await removeImage(place, 'c:1', { force: false });
      assert.deepEqual(answers.at(-1), { Deleted: c.id });
      assert.notEqual(place.directory.get(b.id), undefined);
    }
  });

  it('of what others were made of is refused by its id, and takes only a name away', async () => {
    await using place = await imageScene();
    const [a, b] = lineage(place);
    place.directory.giveTag(a.id, 'docker.io/library/a:1', NOW);
    await assert.rejects(removeImage(place, 'bbb', { force: true }), {
      kind: 'conflict',
      message: `conflict: unable to delete ${shortId(b.id)} (cannot be forced) - image has dependent child images`,
    });
    assert.deepEqual(await removeImage(place, 'a:1', { force: false }), [{ Untagged: 'a:1' }]);
    assert.deepEqual(place.directory.get(a.id)?.tags, []);
  });

  it('says not-found in the words clients look for', async () => {
    await using place = await imageScene();
    await assert.rejects(removeImage(place, 'nosuch', { force: true }), {
      kind: 'not-found',
      message: 'No such image: nosuch:latest',
    });
  });

  it('frees layers and content that nothing else uses, and names the layers', async () => {
    await using place = await imageScene();
    const shared = await layerTar([{ name: 'shared', content: 'x' }]);
    const own = await layerTar([{ name: 'own', content: 'y' }]);
    await place.load(
      await dockerArchive([
        { layers: [shared], tags: ['a:1'] },
        { layers: [shared, own], tags: ['b:1'] },
      ]),
    );
    const [lower, upper] = place.directory.resolve('b:1').layerIds;
    const answers = await removeImage(place, 'b:1', { force: false });
    assert.deepEqual(answers.at(-1), { Deleted: upper });
    assert.deepEqual(place.layers.list(), [lower]);
    assert.equal((await place.content.list()).length, 2);
    await removeImage(place, 'a:1', { force: false });
    assert.deepEqual([place.layers.list(), await place.content.list()], [[], []]);
  });

  it('keeps the layers of a container whose image was removed by force, until the container goes, too', async () => {
    await using place = await imageScene();
    await place.load(await dockerArchive([{ layers: [await layerTar([{ name: 'f', content: 'x' }])], tags: ['a:1'] }]));
    const image = place.directory.resolve('a:1');
    place.users.push(userOf(image, false));
    await removeImage(place, 'a:1', { force: true });
    assert.deepEqual(place.layers.list(), image.layerIds);
    place.users.length = 0;
    await place.directory.collect();
    assert.deepEqual(place.layers.list(), []);
  });

  it('keeps layers from which a container is being made', async () => {
    await using place = await imageScene();
    await place.load(await dockerArchive([{ layers: [await layerTar([{ name: 'f', content: 'x' }])], tags: ['a:1'] }]));
    const { layerIds } = place.directory.resolve('a:1');
    {
      using _held = place.directory.retain(layerIds);
      await removeImage(place, 'a:1', { force: false });
      assert.deepEqual(place.layers.list(), layerIds);
    }
    await place.directory.collect();
    assert.deepEqual(place.layers.list(), []);
  });
});
