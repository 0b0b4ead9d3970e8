import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { LANE_QUEUE_MAX, Lanes, type LaneTask } from './lanes.ts';

/** A task that runs until it is told to end. */
class Task implements LaneTask {
  readonly operationId: string;
  readonly shareKey: string;
  readonly overtakes: boolean;
  isRunning = false;
  hasRun = false;
  release: () => void = () => {};
  readonly #ended = Promise.withResolvers<void>();

  constructor(operationId: string, more: { readonly shareKey?: string; readonly overtakes?: boolean } = {}) {
    this.operationId = operationId;
    this.shareKey = more.shareKey ?? '';
    this.overtakes = more.overtakes ?? false;
  }

  canBeOvertaken(): boolean {
    return this.shareKey !== '' && this.isRunning;
  }

  async run(release: () => void): Promise<void> {
    this.release = release;
    this.isRunning = true;
    await this.#ended.promise;
    this.isRunning = false;
    this.hasRun = true;
  }

  async end(): Promise<void> {
    this.#ended.resolve();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('Lanes', () => {
  it('runs what is on one container one after the other, and on two side by side', async () => {
    const lanes = new Lanes();
    const [first, second, other] = [new Task('1'), new Task('2'), new Task('3')];
    assert.equal(lanes.enter(['id', 'name:web'], first).as, 'running');
    assert.equal(lanes.enter(['name:web'], second).as, 'queued');
    assert.equal(lanes.enter(['other'], other).as, 'running');
    assert.deepEqual([first.isRunning, second.isRunning, other.isRunning], [true, false, true]);
    await first.end();
    assert.equal(second.isRunning, true);
    await second.end();
    await other.end();
    assert.equal(lanes.size, 0);
  });

  it('knows a container by a name or id that it got later', async () => {
    const lanes = new Lanes();
    const [create, start] = [new Task('1'), new Task('2')];
    lanes.enter(['op:1', 'name:web'], create);
    lanes.alias('op:1', 'id');
    assert.equal(lanes.enter(['id'], start).as, 'queued');
    await create.end();
    assert.equal(start.isRunning, true);
    await start.end();
  });

  it('lets the same stop share, and only while nothing else came between', async () => {
    const lanes = new Lanes();
    const stop = new Task('1', { shareKey: 's' });
    const [again, start, later] = [new Task('2', { shareKey: 's' }), new Task('3'), new Task('4', { shareKey: 's' })];
    lanes.enter(['id'], stop);
    assert.deepEqual(lanes.enter(['id'], again), { as: 'sharing', leader: stop });
    assert.equal(lanes.enter(['id'], start).as, 'queued');
    assert.equal(lanes.enter(['id'], later).as, 'queued');
    await stop.end();
    await start.end();
    assert.equal(later.isRunning, true);
    await later.end();
  });

  it('lets a kill overtake a stop that runs, and nothing else', async () => {
    const lanes = new Lanes();
    const [stop, kill] = [new Task('1', { shareKey: 's' }), new Task('2', { overtakes: true })];
    lanes.enter(['id'], stop);
    assert.equal(lanes.enter(['id'], kill).as, 'overtaking');
    assert.equal(kill.isRunning, true);
    const [start, second] = [new Task('3'), new Task('4', { overtakes: true })];
    lanes.enter(['other'], start);
    assert.equal(lanes.enter(['other'], second).as, 'queued');
    for (const task of [stop, kill, start, second]) await task.end();
  });

  it('goes on when a task releases its lane before its end', async () => {
    const lanes = new Lanes();
    const [exec, stop] = [new Task('1'), new Task('2')];
    lanes.enter(['id'], exec);
    lanes.enter(['id'], stop);
    exec.release();
    assert.deepEqual([exec.isRunning, stop.isRunning], [true, true]);
    await exec.end();
    await stop.end();
    assert.equal(lanes.size, 0);
  });

  it('takes out what waits, and refuses what is too much', async () => {
    const lanes = new Lanes();
    const first = new Task('first');
    lanes.enter(['id'], first);
    const waiting = Array.from({ length: LANE_QUEUE_MAX }, (_, at) => new Task(`w${at}`));
    for (const task of waiting) assert.equal(lanes.enter(['id'], task).as, 'queued');
    assert.equal(lanes.enter(['id'], new Task('more')).as, 'refused');
    assert.equal(lanes.leave('w0'), true);
    assert.equal(lanes.leave('first'), false);
    await first.end();
    for (const task of waiting.slice(1)) await task.end();
    assert.equal(waiting[0]?.hasRun, false);
    assert.ok(waiting.slice(1).every(({ hasRun }) => hasRun));
  });

  it('never runs two of one container, and runs all in their order, whatever names them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom('id', 'name:web', 'name:app'), { maxLength: 20 }), async (keys) => {
        const lanes = new Lanes();
        const tasks = keys.map((_, at) => new Task(String(at)));
        for (const [at, task] of tasks.entries()) lanes.enter(['id', keys[at] ?? 'id'], task);
        for (const task of tasks) {
          assert.deepEqual(
            tasks.filter(({ isRunning }) => isRunning),
            [task],
          );
          await task.end();
        }
        await lanes.idle();
        assert.equal(lanes.size, 0);
      }),
      { numRuns: 30 },
    );
  });
});
