import assert from 'node:assert/strict';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { busyboxImage, dockerArchive, layerTar } from '@fairlead/testkit';
import { sweep } from './crash-points.ts';
import { CrashWorld } from './crash-world.ts';
import { create, expectStatus } from './verbs.ts';

const DISK_BYTES = 24 * 1024 * 1024;
const NO_SPACE = /no space left on device/i;

describe('an engine whose disk is full', () => {
  let world: CrashWorld;
  before(async () => {
    world = await CrashWorld.open({ diskBytes: DISK_BYTES });
    await world.start();
    world.forgetEvents();
    for (const name of ['runs', 'ends', 'ignores', 'new', 'old']) await create(world, {}, name);
    for (const name of ['runs', 'ends', 'ignores', 'old']) await world.need(`POST /containers/${name}/start`);
    await world.need('POST /containers/old/kill');
    fill(world);
  });
  after(() => world[Symbol.asyncDispose]());

  it('refuses what needs room, in words that say so', async () => {
    const archive = await dockerArchive([await largeImage()]);
    const refused: readonly (readonly [target: string, question?: object])[] = [
      ['POST /containers/create?name=more', { json: { Image: 'busybox' } }],
      ['POST /containers/new/start'],
      ['POST /containers/old/start'],
    ];
    for (const [target, question] of refused) {
      const { status, body } = await world.ask(target, question);
      assert.deepEqual([status, NO_SPACE.test(body)], [500, true], `${target}: ${status} ${body}`);
    }
    const load = await world.ask('POST /images/load', { body: archive });
    assert.match(load.body, NO_SPACE);
    assert.equal((await world.inspect('runs')).State.Status, 'running');
  });

  it('answers, and runs commands in what runs', async () => {
    assert.equal((await world.ask('GET /_ping')).status, 200);
    assert.equal((await world.containers()).length, 5);
    const made = JSON.parse(await world.need('POST /containers/runs/exec', { json: { Cmd: ['true'] } })) as {
      readonly Id: string;
    };
    await world.need(`POST /exec/${made.Id}/start`, { json: { Detach: true } });
  });

  it('knows of an exit that it cannot write down, and says so to who waits', async () => {
    const waited = world.need('POST /containers/ends/wait');
    process.kill((await world.inspect('ends')).State.Pid, 'SIGKILL');
    assert.match(await waited, /"StatusCode":137/);
    assert.deepEqual(await expectStatus(world, ['exited'], 'ends'), []);
  });

  it('still stops and kills', async () => {
    const { status, body } = await world.ask('POST /containers/ignores/stop?t=0');
    assert.deepEqual([status, body], [204, '']);
    assert.deepEqual(await expectStatus(world, ['exited'], 'ignores'), []);
  });

  it('still removes, so that there is room again', async () => {
    await world.need('DELETE /containers/old');
    assert.equal((await world.ask('GET /containers/old/json')).status, 404);
  });

  it('works again when there is room, and has lost nothing', async () => {
    free(world);
    await world.need('POST /containers/new/start');
    await world.need('POST /containers/ends/start');
    await create(world, {}, 'more');
    await world.need('POST /images/load', { body: await dockerArchive([await largeImage()]) });
    await world.need('DELETE /images/large:latest');
    assert.deepEqual(await world.differences(), []);
    await world.kill();
    await world.start();
    assert.deepEqual(await expectStatus(world, ['exited'], 'ignores'), []);
    assert.equal((await world.inspect('ignores')).State.ExitCode, 137);
    assert.deepEqual([...(await world.differences()), ...(await sweep(world))], []);
  });

  it('tells the truth about an exit when it is killed before it could write it down', async () => {
    assert.deepEqual(await sweep(world), []);
    world.forgetEvents();
    await create(world, { command: ['sh', '-c', 'sleep 0.5; exit 9'] }, 'short');
    await world.need('POST /containers/short/start');
    fill(world);
    // And what is kept for such a moment is gone, too.
    rmSync(join(world.home.root, 'records.db.reserve'), { force: true });
    fill(world, 'more-ballast');
    assert.deepEqual(await expectStatus(world, ['exited'], 'short'), []);
    await world.kill();
    free(world);
    await world.start();
    const { State } = await world.inspect('short');
    assert.deepEqual([State.Status, State.ExitCode], ['exited', 9]);
    assert.deepEqual([...(await world.differences()), ...(await sweep(world))], []);
    await world.kill();
  });

  it('is refused its start in words that say why, and starts when there is room', async () => {
    fill(world);
    const refusal = await world.refusalOfStart();
    free(world);
    if (refusal !== undefined) assert.match(refusal, NO_SPACE);
    await world.start();
    assert.deepEqual(await sweep(world), []);
    await world.kill();
  });
});

function fill(world: CrashWorld, name: string = 'ballast'): void {
  const file = openSync(join(world.home.root, name), 'w');
  for (const bytes of [64 * 1024, 4096, 1]) {
    const chunk = Buffer.alloc(bytes);
    try {
      for (;;) writeSync(file, chunk);
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
    }
  }
  closeSync(file);
}

function free(world: CrashWorld): void {
  for (const name of ['ballast', 'more-ballast']) rmSync(join(world.home.root, name), { force: true });
}

async function largeImage(): ReturnType<typeof busyboxImage> {
  const base = await busyboxImage(['large:latest']);
  return {
    ...base,
    layers: [...base.layers, await layerTar([{ name: 'large', content: Buffer.alloc(2_000_000, 'large') }])],
  };
}
