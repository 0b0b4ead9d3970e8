import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CrashWorld } from './crash-world.ts';
import { sweep } from './crash-points.ts';
import { create, expectStatus } from './verbs.ts';

describe('a container whose monitor is killed', () => {
  let world: CrashWorld;
  before(async () => {
    world = await CrashWorld.open();
  });
  after(() => world[Symbol.asyncDispose]());

  it('ends with 255, says why, and leaves nothing behind', async () => {
    await world.start();
    world.forgetEvents();
    const id = await create(world);
    await world.need('POST /containers/web/start');
    const waited = world.need('POST /containers/web/wait');
    killMonitor(world, id);
    assert.match(await waited, /"StatusCode":255/);
    const { State } = await world.inspect('web');
    assert.deepEqual([State.Status, State.ExitCode], ['exited', 255]);
    assert.match(State.Error, /monitor ended before the container did/);
    assert.deepEqual([...(await world.differences()), ...(await sweep(world))], []);
    await world.kill();
  });

  it('has ended with 255 when that happened while no engine ran', async () => {
    await world.start();
    world.forgetEvents();
    const id = await create(world);
    await world.need('POST /containers/web/start');
    await world.kill();
    killMonitor(world, id);
    await world.start();
    assert.deepEqual(await expectStatus(world, ['exited']), []);
    const { State } = await world.inspect('web');
    assert.equal(State.ExitCode, 255);
    assert.match(State.Error, /its exit code is unknown/);
    assert.deepEqual([...(await world.differences()), ...(await sweep(world))], []);
    await world.kill();
  });

  it('is started again when its restart policy says so', async () => {
    await world.start();
    world.forgetEvents();
    const id = await create(world, { hostConfig: { RestartPolicy: { Name: 'always' } } });
    await world.need('POST /containers/web/start');
    const { Pid } = (await world.inspect('web')).State;
    killMonitor(world, id);
    let { State } = await world.inspect('web');
    while (!State.Running || State.Pid === Pid) ({ State } = await world.inspect('web'));
    assert.deepEqual([...(await world.differences()), ...(await sweep(world))], []);
    await world.kill();
  });
});

function killMonitor(world: CrashWorld, id: string): void {
  const [pid] = world.kernel().monitors.get(id) ?? [];
  assert.ok(pid !== undefined, 'it has a monitor');
  process.kill(pid, 'SIGKILL');
}
