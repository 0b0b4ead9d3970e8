import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { containerId, EngineError, isEngineError } from '@fairlead/protocol';
import { FakeClock } from '../ports/fake-clock.ts';
import { ContainerActor, type ContainerWork } from './actor.ts';
import { ContainerDirectory } from './directory.ts';
import { memoryTable } from '../ports/memory-records.ts';
import type { ContainerState } from './state.ts';
import type { ContainerRecord } from './record.ts';
import { stopContainer, KILL_CONFIRM_MS } from './stop.ts';
import { startContainer } from './start.ts';
import { waitForContainer } from './wait.ts';
import { recordOf } from './record.fixture.ts';

const id = containerId('cd'.repeat(32));
const created = { process: { pid: 42, startTicks: 7 }, monitor: { pid: 41, startTicks: 6 } };
const silent = { target() {}, grace() {}, bound() {}, phase() {}, stopped() {} };
const never = new AbortController().signal;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface SceneOptions {
  readonly autoRemove?: boolean;
  readonly work?: Partial<ContainerWork>;
  /** Instead of one that was only created: as a restarted engine finds it. */
  readonly record?: ContainerRecord;
}

function scene(options: SceneOptions = {}): {
  readonly log: string[];
  readonly clock: FakeClock;
  readonly directory: ContainerDirectory;
  readonly actor: ContainerActor;
  readonly publish: (record: ContainerRecord, action: string) => void;
} {
  const log: string[] = [];
  const clock = new FakeClock();
  const directory = new ContainerDirectory(memoryTable<ContainerRecord>());
  const note = (line: string) => async (): Promise<void> => void log.push(line);
  const work: ContainerWork = {
    launch: async () => {
      log.push('launch');
      return { created, endpoint: null };
    },
    sendSignal: async (_created, signal) => void log.push(`signal ${signal}`),
    freeze: note('freeze'),
    thaw: note('thaw'),
    cleanUpRun: note('clean up'),
    removeRemains: async () => {
      // Deleting files takes at least a turn of the event loop.
      await turn();
      log.push('remove');
    },
    ...options.work,
  };
  const record = options.record ?? recordOf({ id, name: 'web', autoRemove: options.autoRemove === true });
  const actor = new ContainerActor(record, {
    work,
    clock,
    commit: ({ state }, announcements) => {
      log.push(`save ${state.status}`, ...announcements.map(({ action }) => `told ${action}`));
    },
    forget: (gone) => {
      log.push('forget');
      directory.erase(gone.id);
      directory.forget(gone);
    },
    onNotStored: (_record, cause) => void log.push(`not stored: ${String(cause)}`),
    onEffectFailed: (_record, effect) => void log.push(`failed ${effect.effect}`),
  });
  directory.reserveName('web', id);
  directory.add(actor);
  return { log, clock, directory, actor, publish: (_record, action) => void log.push(`told ${action}`) };
}

const exit = (clock: FakeClock, exitCode: number) =>
  ({ type: 'exited', exit: { id, exitCode, oomKilled: false, at: clock.now() } }) as const;
const stop = { signal: undefined, purpose: 'stop', progress: silent } as const;

describe('ContainerActor', () => {
  it('saves what it owes, signals, notes that it did, cleans up, then tells who waits', async () => {
    const { log, clock, actor, ...deps } = scene();
    await startContainer({ clock, ...deps }, 'web');
    log.length = 0;
    const stopped = stopContainer({ clock, ...deps }, 'web', { ...stop, graceMs: 10_000 });
    await turn();
    await actor.send(exit(clock, 0));
    assert.deepEqual(await stopped, { detail: 'exited', exitCode: 0 });
    assert.deepEqual(log, [
      'save running',
      'told kill',
      'signal 15',
      'save running',
      'save exited',
      'told die',
      'clean up',
      'told stop',
    ]);
  });

  it('kills once the grace is over, not a millisecond before', async () => {
    const { log, clock, actor, ...deps } = scene();
    await startContainer({ clock, ...deps }, 'web');
    const stopped = stopContainer({ clock, ...deps }, 'web', { ...stop, graceMs: 10_000 });
    await turn();
    clock.advance(9_999);
    await turn();
    assert.ok(!log.includes('signal 9'));
    clock.advance(1);
    await turn();
    assert.ok(log.includes('signal 9'));
    await actor.send(exit(clock, 137));
    assert.deepEqual(await stopped, { detail: 'killed', exitCode: 137 });
  });

  it('fails a stop whose process outlives SIGKILL, and leaves the container running', async () => {
    const { clock, actor, ...deps } = scene();
    await startContainer({ clock, ...deps }, 'web');
    const stopped = stopContainer({ clock, ...deps }, 'web', { ...stop, graceMs: 1_000 });
    const refused = assert.rejects(
      stopped,
      /cannot stop container: web: tried to kill container, but did not receive an exit event/,
    );
    await turn();
    clock.advance(1_000);
    await turn();
    clock.advance(KILL_CONFIRM_MS);
    await refused;
    assert.equal(actor.state.status, 'running');
  });

  it('tells an exit to every waiter once, after the clean-up', async () => {
    const { log, clock, actor, directory } = scene();
    await startContainer({ directory, clock }, 'web');
    const waiting = [1, 2, 3].map(
      () => waitForContainer({ directory }, 'web', { condition: 'next-exit', signal: never }).result,
    );
    await actor.send(exit(clock, 7));
    assert.deepEqual(await Promise.all(waiting), [{ exitCode: 7 }, { exitCode: 7 }, { exitCode: 7 }]);
    assert.equal(log.filter((line) => line === 'clean up').length, 1);
  });

  it('removes an AutoRemove container after those who wait for its exit were told', async () => {
    const { log, clock, actor, directory } = scene({ autoRemove: true });
    await startContainer({ directory, clock }, 'web');
    const exited = waitForContainer({ directory }, 'web', { condition: 'next-exit', signal: never }).result.then(() =>
      log.push('exit told'),
    );
    const removed = waitForContainer({ directory }, 'web', { condition: 'removed', signal: never }).result;
    await actor.send(exit(clock, 3));
    assert.deepEqual(await removed, { exitCode: 3 });
    await exited;
    assert.ok(log.indexOf('exit told') < log.indexOf('forget'));
    assert.throws(() => directory.resolve('web'), /No such container: web/);
  });

  it('is as it was before after a failed start, with the failure in its state', async () => {
    const failure = new EngineError('invalid-argument', 'exec: "x": executable file not found in $PATH', {
      details: { exitCode: 127 },
    });
    const { clock, actor, directory } = scene({ work: { launch: () => Promise.reject(failure) } });
    await assert.rejects(startContainer({ directory, clock }, 'web'), failure);
    const expected: ContainerState = { status: 'created', failure: { exitCode: 127, message: failure.message } };
    assert.deepEqual(actor.state, expected);
  });

  it('is gone before the caller hears of a failed start when it removes itself', async () => {
    const { clock, directory } = scene({ autoRemove: true, work: { launch: () => Promise.reject(new Error('no')) } });
    const refused = assert.rejects(startContainer({ directory, clock }, 'web'), /no/);
    await waitForContainer({ directory }, 'web', { condition: 'removed', signal: never }).result;
    await turn();
    clock.advance(10);
    await refused;
    assert.throws(() => directory.resolve('web'), /No such container/);
  });

  it('takes a pause back when the kernel refuses it', async () => {
    const { clock, actor, directory } = scene({ work: { freeze: () => Promise.reject(new Error('EBUSY')) } });
    await startContainer({ directory, clock }, 'web');
    await assert.rejects(actor.send({ type: 'pause-requested' }), /EBUSY/);
    assert.ok(actor.state.status === 'running' && !actor.state.paused);
  });

  it('is dead when its remains cannot be removed, and can be removed again', async () => {
    let broken = true;
    const { actor, directory } = scene({
      work: { removeRemains: async () => (broken ? Promise.reject(new Error('ENOSPC')) : undefined) },
    });
    await assert.rejects(actor.send({ type: 'remove-requested' }), /ENOSPC/);
    assert.equal(actor.state.status, 'dead');
    broken = false;
    await actor.send({ type: 'remove-requested' });
    assert.throws(
      () => directory.resolve('web'),
      (error) => isEngineError(error) && error.kind === 'not-found',
    );
  });

  it('does again, after a crash, what it had ordered and not noted as done', async () => {
    const owed = [{ effect: 'send-signal', created, signal: 15 }] as const;
    const { log, actor } = scene({ record: { ...(await runningRecord()), owed } });
    actor.resume();
    await turn();
    assert.deepEqual(log, ['signal 15', 'save running']);
    actor.resume();
    await turn();
    assert.equal(log.length, 2, 'once');
  });

  it('thaws, after a crash, what was frozen for work that died with the engine', async () => {
    const running = await runningRecord();
    const state = { ...running.state, paused: true, pausedForWork: true } as ContainerState;
    const { log, actor } = scene({ record: { ...running, state } });
    actor.resume();
    await turn();
    assert.deepEqual(log, ['save running', 'told unpause', 'thaw', 'save running']);
    assert.equal(actor.state.status === 'running' && actor.state.paused, false);
  });
});

async function runningRecord(): Promise<ContainerRecord> {
  const { actor } = scene();
  await actor.send({ type: 'start-requested' });
  return actor.record;
}
