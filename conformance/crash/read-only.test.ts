import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { sweep } from './crash-points.ts';
import { CrashWorld } from './crash-world.ts';
import { create } from './verbs.ts';

const READ_ONLY = /read-only/i;
/** As the kernel answers on a file system that it has made read-only because its disk fails. */
const FAILING_DISK = [
  'files.write',
  'files.rename',
  'files.make-directory',
  'bytes.open',
  'sqlite.put',
  'sqlite.append',
  'sqlite.commit',
]
  .map((name) => `${name}: 100000*error(EROFS)`)
  .join('; ');

describe('an engine whose root is read-only', () => {
  let world: CrashWorld;
  before(async () => {
    world = await CrashWorld.open({ diskBytes: 24 * 1024 * 1024 });
  });
  after(() => world[Symbol.asyncDispose]());

  it('is refused its start in words that say why', async () => {
    execFileSync('mount', ['-o', 'remount,ro', world.home.root]);
    const refusal = await world.refusalOfStart();
    execFileSync('mount', ['-o', 'remount,rw', world.home.root]);
    assert.match(refusal ?? 'it has started', READ_ONLY);
    assert.ok(refusal?.includes(world.home.root), refusal);
  });

  it('refuses what would write, serves the rest, and works again when it is writable', async () => {
    await world.start(FAILING_DISK);
    world.forgetEvents();
    await create(world);
    await world.need('POST /containers/web/start');
    await create(world, {}, 'new');
    world.arm();
    for (const target of [
      'POST /containers/create?name=more',
      'POST /containers/new/start',
      'POST /containers/web/pause',
    ]) {
      const { status, body } = await world.ask(
        target,
        target.includes('/create') ? { json: { Image: 'busybox' } } : {},
      );
      assert.deepEqual([status, READ_ONLY.test(body)], [500, true], `${target}: ${status} ${body}`);
    }
    assert.equal((await world.inspect('web')).State.Status, 'running');
    assert.equal((await world.containers()).length, 2);
    world.disarm();
    assert.deepEqual([...(await world.differences()), ...(await sweep(world))], []);
    await world.kill();
  });
});
