import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { containerId } from '@fairlead/protocol';
import { createVolume, type CreateVolume } from './create.ts';
import { pruneVolumes } from './prune.ts';
import { ANONYMOUS_LABEL } from './record.ts';
import { removeVolume } from './remove.ts';
import { restoreVolumes, unmountUnneeded } from './restore.ts';
import { volumeScene, type VolumeScene } from './test/volume-scene.ts';
import type { VolumeUser } from './user.ts';
import { inspectVolume, listVolumes } from './view.ts';

const web = containerId('a'.repeat(64));
const db = containerId('b'.repeat(64));
const TMPFS = { type: 'tmpfs', device: 'tmpfs', o: 'size=64k' };

function asked(fields: Partial<CreateVolume> = {}): CreateVolume {
  return { name: 'data', driver: '', options: {}, labels: {}, ...fields };
}

function user(id: typeof web, names: readonly string[], isUp = false): VolumeUser {
  return { containerId: id, isUp, volumeNames: new Set(names) };
}

function filters(entries: Readonly<Record<string, readonly string[]>>): ReadonlyMap<string, readonly string[]> {
  return new Map(Object.entries(entries));
}

async function withVolumes(...names: readonly string[]): Promise<VolumeScene> {
  const scene = await volumeScene();
  for (const name of names) await createVolume(scene, asked({ name }));
  scene.events.length = 0;
  return scene;
}

describe('createVolume', () => {
  it('makes a directory, a record and one event, and gives what is there the second time', async () => {
    await using scene = await volumeScene();
    const made = await createVolume(scene, asked({ labels: { a: 'b' } }));
    const again = await createVolume(scene, asked({ labels: { other: '' }, options: TMPFS }));
    assert.deepEqual(again, made);
    assert.deepEqual(scene.events, ['create data']);
    assert.deepEqual(inspectVolume(scene, 'data'), {
      CreatedAt: `${made.createdAt.toISOString().slice(0, 19)}Z`,
      Driver: 'local',
      Labels: { a: 'b' },
      Mountpoint: scene.store.path('data'),
      Name: 'data',
      Options: null,
      Scope: 'local',
    });
    assert.ok(existsSync(scene.store.path('data')));
  });

  it('makes one however many ask at the same time', async () => {
    await using scene = await volumeScene();
    const made = await Promise.all(Array.from({ length: 8 }, () => createVolume(scene, asked())));
    assert.equal(new Set(made).size, 1);
    assert.deepEqual(scene.events, ['create data']);
  });

  it('names and labels an anonymous one', async () => {
    await using scene = await volumeScene();
    const { name, labels } = await createVolume(scene, asked({ name: '' }));
    assert.match(name, /^[0-9a-f]{64}$/);
    assert.deepEqual(labels, { [ANONYMOUS_LABEL]: '' });
  });

  const invalidName = (name: string): string =>
    `create ${name}: "${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are ` +
    'allowed. If you intended to pass a host directory, use absolute path';
  const refused = [
    {
      fields: { name: 'a' },
      words: 'create a: volume name is too short, names should be at least two alphanumeric characters',
    },
    ...['a/b', '../b', '.b', 'a b', 'a\nb', 'a\0b'].map((name) => ({ fields: { name }, words: invalidName(name) })),
    {
      fields: { name: 'x'.repeat(256) },
      words: `create ${'x'.repeat(256)}: volume name is longer than 255 characters`,
    },
    { fields: { options: { bogus: '1' } }, words: 'create data: invalid option: "bogus"' },
    { fields: { options: { o: 'ro' } }, words: 'create data: missing required option: "device"' },
    { fields: { options: { device: '/x' } }, words: 'create data: missing required option: "type"' },
    { fields: { options: { size: '1m' } }, words: 'create data: quota size requested but no quota support' },
    {
      fields: { driver: 'nosuch' },
      kind: 'not-found',
      words: 'create data: error looking up volume plugin nosuch: plugin "nosuch" not found',
    },
  ];
  for (const { fields, words, kind = 'invalid-argument' } of refused) {
    it(`refuses ${JSON.stringify(fields).slice(0, 60)} and makes nothing`, async () => {
      await using scene = await volumeScene();
      await assert.rejects(createVolume(scene, asked(fields)), { kind, message: words });
      assert.deepEqual(listVolumes(scene, filters({})), []);
      assert.deepEqual(await scene.store.list(), []);
    });
  }
});

describe('removeVolume', () => {
  it('removes record and content', async () => {
    await using scene = await withVolumes('data');
    await removeVolume(scene, 'data', { force: false });
    assert.equal(existsSync(scene.store.path('data')), false);
    assert.deepEqual(scene.events, ['destroy data']);
    await assert.rejects(removeVolume(scene, 'data', { force: false }), {
      kind: 'not-found',
      message: 'get data: no such volume',
    });
    await removeVolume(scene, 'data', { force: true });
  });

  it('refuses while containers use it, also by force, and counts a container that is being made', async () => {
    await using scene = await withVolumes('data');
    scene.users.push(user(web, ['data']));
    {
      using _holding = scene.directory.holding(db);
      await createVolume(scene, asked({ holder: db }));
      await assert.rejects(removeVolume(scene, 'data', { force: true }), {
        kind: 'conflict',
        message: `remove data: volume is in use - [${web}, ${db}]`,
      });
    }
    await assert.rejects(removeVolume(scene, 'data', { force: false }), {
      message: `remove data: volume is in use - [${web}]`,
    });
    await removeVolume(scene, 'data', { force: false, user: web });
  });

  it('is done by one of many that ask at the same time, and told to all', async () => {
    await using scene = await withVolumes('data');
    await Promise.all(Array.from({ length: 4 }, () => removeVolume(scene, 'data', { force: false })));
    assert.deepEqual(scene.events, ['destroy data']);
  });
});

describe('listVolumes', () => {
  const cases = [
    { query: {}, found: ['blue', 'green', 'red'] },
    { query: { name: ['re'] }, found: ['green', 'red'] },
    { query: { name: ['^re', 'blue'] }, found: ['blue', 'red'] },
    { query: { label: ['warm'] }, found: ['red'] },
    { query: { label: ['warm=no'] }, found: [] },
    { query: { dangling: ['true'] }, found: ['blue', 'red'] },
    { query: { dangling: ['0'] }, found: ['green'] },
    { query: { driver: ['local'] }, found: ['blue', 'green', 'red'] },
    { query: { driver: ['nfs'] }, found: [] },
    { query: { name: ['red'], dangling: ['false'] }, found: [] },
  ];
  for (const { query, found } of cases) {
    it(`finds ${found.join(', ') || 'nothing'} for ${JSON.stringify(query)}`, async () => {
      await using scene = await withVolumes('green', 'blue');
      await createVolume(scene, asked({ name: 'red', labels: { warm: 'yes' } }));
      scene.users.push(user(web, ['green']));
      const listed = listVolumes(scene, filters(query));
      assert.deepEqual(
        listed.map((volume) => volume.Name),
        found,
      );
    });
  }

  for (const [key, value] of [
    ['bogus', 'x'],
    ['dangling', 'x'],
    ['name', '['],
  ] as const) {
    it(`refuses ${key}=${value}`, async () => {
      await using scene = await volumeScene();
      assert.throws(() => listVolumes(scene, filters({ [key]: [value] })), { kind: 'invalid-argument' });
    });
  }
});

describe('pruneVolumes', () => {
  it('takes anonymous ones that nobody uses, and says what that gave back', async () => {
    await using scene = await withVolumes('named', '', '');
    const [unused = '', used = ''] = scene.directory.all().flatMap(({ name }) => (name === 'named' ? [] : [name]));
    writeFileSync(join(scene.store.path(unused), 'f'), '12345');
    scene.users.push(user(web, [used]));
    const report = await pruneVolumes(scene, { filters: filters({}), all: false });
    assert.deepEqual(report, { VolumesDeleted: [unused], SpaceReclaimed: 5 });
    assert.deepEqual(scene.events, [`destroy ${unused}`, 'prune ']);
  });

  it('takes named ones when told so, by either side, but not what mounts something', async () => {
    await using scene = await withVolumes('one', 'two');
    await createVolume(scene, asked({ name: 'mounts', options: TMPFS }));
    const labelled = await pruneVolumes(scene, { filters: filters({ all: ['1'], 'label!': ['x'] }), all: false });
    assert.deepEqual(labelled.VolumesDeleted, ['one', 'two']);
    await createVolume(scene, asked({ name: 'three' }));
    assert.deepEqual((await pruneVolumes(scene, { filters: filters({}), all: true })).VolumesDeleted, ['three']);
  });

  it('refuses other filters', async () => {
    await using scene = await volumeScene();
    const pruning = pruneVolumes(scene, { filters: filters({ dangling: ['true'] }), all: false });
    await assert.rejects(pruning, { message: "invalid filter 'dangling'" });
  });
});

describe('restoreVolumes', () => {
  const nobody = (): boolean => false;

  it('removes what was made for a container that never came to be, and keeps it for one that did', async () => {
    await using scene = await volumeScene();
    const lost = await createVolume(scene, asked({ name: '', holder: web }));
    const kept = await createVolume(scene, asked({ name: '', holder: db }));
    await createVolume(scene, asked({ name: 'named', holder: web }));
    const reopened = scene.reopened();
    await restoreVolumes(reopened, (id) => id === db);
    assert.equal(reopened.directory.get(lost.name), undefined);
    assert.equal(existsSync(scene.store.path(lost.name)), false);
    assert.equal(reopened.directory.resolve(kept.name).madeFor, undefined);
    assert.ok(reopened.directory.get('named'));
  });

  it('finishes a removal that was interrupted after the content went', async () => {
    await using scene = await withVolumes('data', 'used');
    rmSync(join(scene.store.path('data'), '..'), { recursive: true });
    rmSync(join(scene.store.path('used'), '..'), { recursive: true });
    scene.users.push(user(web, ['used']));
    const reopened = scene.reopened();
    await restoreVolumes(reopened, nobody);
    assert.deepEqual(
      listVolumes(reopened, filters({})).map((volume) => volume.Name),
      ['used'],
    );
    assert.ok(existsSync(scene.store.path('used')));
  });

  it('takes a directory with content for a volume, and an empty one for nothing', async () => {
    await using scene = await volumeScene();
    for (const name of ['full', 'empty']) mkdirSync(scene.store.path(name), { recursive: true });
    writeFileSync(join(scene.store.path('full'), 'f'), 'x');
    const reopened = scene.reopened();
    await restoreVolumes(reopened, nobody);
    assert.deepEqual(
      listVolumes(reopened, filters({})).map((volume) => volume.Name),
      ['full'],
    );
    assert.equal(existsSync(scene.store.path('empty')), false);
  });

  it('unmounts what no running container needs', async () => {
    await using scene = await volumeScene();
    for (const name of ['idle', 'busy']) {
      await createVolume(scene, asked({ name, options: TMPFS }));
      await scene.store.mount(name, { type: 'tmpfs', device: 'tmpfs', options: '' });
      writeFileSync(join(scene.store.path(name), 'mounted'), '');
    }
    scene.users.push(user(web, ['busy'], true), user(db, ['idle']));
    await unmountUnneeded(scene);
    assert.deepEqual(
      ['idle', 'busy'].map((name) => existsSync(join(scene.store.path(name), 'mounted'))),
      [false, true],
    );
  });
});
