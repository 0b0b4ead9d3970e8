import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { CrashWorld } from './crash-world.ts';
import { create } from './verbs.ts';

describe('an engine with a damaged record', () => {
  let world: CrashWorld;
  let torn: string;
  let strange: string;
  before(async () => {
    world = await CrashWorld.open();
    await world.start();
    torn = await create(world, {}, 'torn');
    strange = await create(world, {}, 'strange');
    await create(world, {}, 'whole');
    await world.need('POST /containers/whole/start');
    await world.kill();
    change(world, `UPDATE containers SET document = substr(document, 1, 100) WHERE key = '${torn}'`);
    change(
      world,
      `UPDATE containers SET document = json_set(document, '$.state', json('{"status":"running"}')) WHERE key = '${strange}'`,
    );
    await world.start();
  });
  after(() => world[Symbol.asyncDispose]());

  it('serves the others', async () => {
    assert.deepEqual(
      (await world.containers()).map(({ Name }) => Name),
      ['/whole'],
    );
    await world.need('POST /containers/whole/restart?t=0');
    await create(world, {}, 'more');
    await world.need('DELETE /containers/more');
  });

  it('refuses it by its id, and by its name where that can still be read', async () => {
    for (const ref of [torn, torn.slice(0, 12), strange, 'strange']) {
      const { status, body } = await world.ask(`POST /containers/${ref}/start`);
      assert.equal(status, 500);
      assert.match(body, new RegExp(`cannot load container (${torn}|${strange}): its record is damaged`));
    }
    const again = await world.ask('POST /containers/create?name=strange', { json: { Image: 'busybox' } });
    assert.equal(again.status, 409, again.body);
  });

  it('says in its log which', () => {
    const log = world.logTail(40);
    for (const id of [torn, strange]) assert.match(log, new RegExp(`"key":"${id}".*records.corrupt`));
  });

  it('keeps the files of it, and the layers and blobs that it may need', async () => {
    for (const id of [torn, strange]) assert.ok(existsSync(join(world.home.root, 'containers', id, 'upper')));
    await world.need('DELETE /containers/whole?force=1');
    const [image] = JSON.parse(await world.need('GET /images/json')) as readonly { readonly Id: string }[];
    await world.need(`DELETE /images/${image?.Id}?force=1`);
    await world.stop();
    change(
      world,
      `UPDATE containers SET document = json_set(document, '$.state', json('{"status":"created","failure":null}')) WHERE key = '${strange}'`,
    );
    change(world, `DELETE FROM containers WHERE key = '${torn}'`);
    await world.start();
    await world.need('POST /containers/strange/start');
    await world.need('DELETE /containers/strange?force=1');
    assert.equal(existsSync(join(world.home.root, 'containers', torn)), false, 'what belongs to no record goes');
  });

  it('is refused its start when the records are no database at all', async () => {
    await world.stop();
    change(world, 'PRAGMA wal_checkpoint(TRUNCATE)');
    writeFileSync(
      join(world.home.root, 'records.db'),
      'this is no database, and long enough to look like one'.repeat(100),
    );
    assert.match(
      (await world.refusalOfStart()) ?? '',
      /cannot open the engine's records in .*: the file is not a database/,
    );
  });
});

function change(world: CrashWorld, statement: string): void {
  const database = new DatabaseSync(join(world.home.root, 'records.db'));
  database.exec(statement);
  database.close();
}
