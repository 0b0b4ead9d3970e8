import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { containerId, EngineError } from '@fairlead/protocol';
import { FakeClock } from '../ports/fake-clock.ts';
import { ContainerActor } from './actor.ts';
import { STORE_AGAIN_MS } from './record-keeper.ts';
import { recordOf } from './record.fixture.ts';

const id = containerId('cd'.repeat(32));
const created = { process: { pid: 42, startTicks: 7 }, monitor: { pid: 41, startTicks: 6 } };
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A container on a store that refuses while `isFull`. */
function scene(options: { readonly autoRemove?: boolean } = {}): {
  readonly log: string[];
  readonly clock: FakeClock;
  readonly disk: { isFull: boolean };
  readonly actor: ContainerActor;
} {
  const log: string[] = [];
  const clock = new FakeClock();
  const disk = { isFull: false };
  const note = (line: string) => async (): Promise<void> => void log.push(line);
  const actor = new ContainerActor(recordOf({ id, name: 'web', ...options }), {
    work: {
      launch: async () => {
        log.push('launch');
        return { created, endpoint: null };
      },
      sendSignal: async (_created, signal) => void log.push(`signal ${signal}`),
      freeze: note('freeze'),
      thaw: note('thaw'),
      cleanUpRun: note('clean up'),
      removeRemains: note('remove'),
    },
    clock,
    commit: (record, announcements) => {
      if (disk.isFull) throw new EngineError('internal', 'no space left on device');
      log.push(`save ${record.state.status}`, ...announcements.map(({ action }) => `told ${action}`));
    },
    forget: () => void log.push('forget'),
    onNotStored: () => void log.push('not stored'),
    onEffectFailed: (_record, effect) => void log.push(`failed ${effect.effect}`),
  });
  return { log, clock, disk, actor };
}

const exit = (clock: FakeClock, exitCode: number) =>
  ({ type: 'exited', exit: { id, exitCode, oomKilled: false, at: clock.now() } }) as const;
const kill = (clock: FakeClock, graceMs: number) =>
  ({ type: 'signal-requested', signal: 15, purpose: 'stop', graceMs, at: clock.now() }) as const;

async function again(clock: FakeClock): Promise<void> {
  clock.advance(STORE_AGAIN_MS);
  await turn();
}

describe('ContainerActor on a full disk', () => {
  it('refuses a start, and is as it was', async () => {
    const { log, disk, actor } = scene();
    disk.isFull = true;
    await assert.rejects(actor.send({ type: 'start-requested' }), { message: 'no space left on device' });
    assert.deepEqual([actor.state.status, log], ['created', []]);
    disk.isFull = false;
    await actor.send({ type: 'start-requested' });
    assert.equal(actor.state.status, 'running');
  });

  it('ends a process that it cannot write down, and says why the start failed', async () => {
    const { log, clock, disk, actor } = scene();
    const starting = actor.send({ type: 'start-requested' });
    await Promise.resolve();
    disk.isFull = true;
    await assert.rejects(starting, { message: 'no space left on device' });
    assert.deepEqual(log, ['save starting', 'launch', 'clean up', 'not stored']);
    assert.deepEqual(actor.state, {
      status: 'created',
      failure: { exitCode: 128, message: 'no space left on device' },
    });
    disk.isFull = false;
    await again(clock);
    assert.equal(log.at(-1), 'save created');
  });

  it('knows of an exit at once, and cleans up after it only when it is stored', async () => {
    const { log, clock, disk, actor } = scene();
    await actor.send({ type: 'start-requested' });
    log.length = 0;
    disk.isFull = true;
    const exits: number[] = [];
    actor.onNextExit(({ exitCode }) => exits.push(exitCode));
    await actor.send(exit(clock, 7));
    assert.deepEqual([actor.state.status, exits, log], ['exited', [7], ['not stored']]);
    await again(clock);
    assert.deepEqual(log, ['not stored']);
    disk.isFull = false;
    await again(clock);
    assert.deepEqual(log, ['not stored', 'save exited', 'told die', 'clean up']);
    await again(clock);
    assert.equal(log.length, 4);
  });

  it('stores what it owes with the next start, first', async () => {
    const { log, clock, disk, actor } = scene();
    await actor.send({ type: 'start-requested' });
    disk.isFull = true;
    await actor.send(exit(clock, 7));
    log.length = 0;
    disk.isFull = false;
    await actor.send({ type: 'start-requested' });
    assert.deepEqual(log, ['save starting', 'told die', 'clean up', 'launch', 'save running', 'told start']);
  });

  it('kills when the grace is over all the same', async () => {
    const { log, clock, disk, actor } = scene();
    await actor.send({ type: 'start-requested' });
    await actor.send(kill(clock, 2_000));
    log.length = 0;
    disk.isFull = true;
    clock.advance(2_000);
    await turn();
    assert.deepEqual(log, ['not stored', 'signal 9']);
  });

  it('removes itself when there is room again', async () => {
    const { log, clock, disk, actor } = scene({ autoRemove: true });
    await actor.send({ type: 'start-requested' });
    log.length = 0;
    disk.isFull = true;
    await actor.send(exit(clock, 0));
    await again(clock);
    disk.isFull = false;
    await again(clock);
    await turn();
    assert.deepEqual(log, ['not stored', 'save exited', 'told die', 'clean up', 'save removing', 'remove', 'forget']);
  });
});
