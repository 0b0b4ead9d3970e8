import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Budget, waitForBoundMs } from '@fairlead/protocol';
import type { CallDeps } from '../call.ts';
import { connectionLost, EngineOverdueError, EngineUnreachableError, PendingError } from '../errors.ts';
import { FakeClock } from '../fake-clock.fixture.ts';
import type { Look } from './look.ts';
import type { OperationResult } from './operation-result.ts';
import { type BoundedDeps, type BoundedOperation, PROBE_MS, runBounded } from './run-bounded.ts';

const never = new AbortController().signal;
const result = (over: Partial<OperationResult> = {}): OperationResult => ({
  ...{ changed: true, outcome: 'exited', exitCode: 0, tookMs: 5, late: false, warnings: [] },
  ...over,
});
const underWay: Look = { kind: 'under-way', inLedger: false };
const done: Look = { kind: 'done', result: result({ late: true }) };
const unreachable = new EngineUnreachableError('Cannot connect to the engine at unix:///x', {
  errno: 'ENOENT',
  address: 'unix:///x',
});

function silent(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}

const lost = (): Promise<never> => Promise.reject(connectionLost('stop web', new Error('socket hang up')));

function scene(
  over: Partial<BoundedOperation> & { readonly seen?: () => Promise<Look>; readonly patienceMs?: number },
): {
  readonly clock: FakeClock;
  readonly run: (caller?: AbortSignal) => Promise<OperationResult>;
} {
  const { seen = async () => underWay, patienceMs = Infinity, ...operation } = over;
  const clock = new FakeClock();
  const deps: BoundedDeps = { clock, onFreshConnection: (ask) => ask({} as CallDeps) };
  const asked: BoundedOperation = {
    operation: 'stop web',
    attempt: silent,
    boundMs: Promise.resolve(60_000),
    patience: patienceMs === Infinity ? Budget.endless() : Budget.of(patienceMs, clock.nowMs()),
    look: seen,
    pending: (waitedMs, boundMs) => `gave up after ${waitedMs} of ${boundMs}`,
    resume: async () => result({ late: true }),
    ...operation,
  };
  return { clock, run: (caller = never) => runBounded(deps, asked, caller) };
}

/** Whatever happens to it in `ms`. */
async function after<T>(clock: FakeClock, ms: number, promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  await clock.pass(ms);
  return await promise;
}

describe('runBounded', () => {
  it('gives the answer when it comes', async () => {
    assert.equal((await scene({ attempt: async () => result() }).run()).late, false);
  });

  it('passes on what the engine refused, without a look', async () => {
    const { run } = scene({ seen: () => assert.fail('looked'), attempt: () => Promise.reject(new Error('404')) });
    await assert.rejects(run(), /404/);
  });

  it('waits for the bound and its reserve, and not a moment less', async () => {
    const { clock, run } = scene({});
    const asked = run();
    let settled = false;
    asked.catch(() => {}).finally(() => (settled = true));
    await clock.pass(waitForBoundMs(60_000) - 1);
    assert.equal(settled, false);
    await assert.rejects(after(clock, 1, asked), EngineOverdueError);
  });

  it('says overdue when the bound is over and the container is not there', async () => {
    const { clock, run } = scene({});
    await assert.rejects(after(clock, 63_000, run()), {
      message:
        /owed an answer \(stop web\) within 60\.0 s and has given none after 63\.0 s: it is reachable, and the container/,
    });
  });

  it('says overdue, too, when the engine does not even answer what it is asked for the bound', async () => {
    const { clock, run } = scene({ boundMs: Promise.resolve(undefined), seen: () => new Promise(() => {}) });
    const asked = run();
    asked.catch(() => {});
    await clock.pass(2_000);
    await clock.pass(PROBE_MS);
    await assert.rejects(asked, /accepts connections and answers nothing: not to "stop web" for 1\.5 s/);
  });

  it('says pending when patience ends first, and how to go on', async () => {
    const { clock, run } = scene({ patienceMs: 20_000 });
    const error = await after(clock, 20_000, run()).then(
      () => assert.fail(),
      (failure: unknown) => failure,
    );
    assert.ok(error instanceof PendingError);
    assert.deepEqual([error.waitedMs, error.operation.endsWithinMs], [20_000, 40_000]);
    assert.deepEqual(await error.operation.wait(), result({ late: true }));
  });

  it('holds the waiting on to what is left of the bound', async () => {
    const { clock, run } = scene({ patienceMs: 20_000, resume: silent });
    const error = await after(clock, 20_000, run()).catch((failure: unknown) => failure);
    assert.ok(error instanceof PendingError);
    await assert.rejects(after(clock, waitForBoundMs(40_000), error.operation.wait()), EngineOverdueError);
  });

  it('counts as success, late, when it is done although the answer never came', async () => {
    const patient = scene({ seen: async () => done, patienceMs: 10 });
    assert.equal((await after(patient.clock, 10, patient.run())).late, true);
    assert.equal((await scene({ seen: async () => done, attempt: lost }).run()).late, true);
  });

  it('goes on waiting when the connection was lost and the ledger knows that it is under way', async () => {
    const { run } = scene({ seen: async () => ({ kind: 'under-way', inLedger: true }), attempt: lost });
    assert.equal((await run()).late, true);
    await assert.rejects(scene({ attempt: lost }).run(), /ended before it answered \(stop web\): socket hang up/);
  });

  it('passes on what the ledger says it failed of', async () => {
    const { run } = scene({ attempt: lost, seen: async () => ({ kind: 'failed', error: new Error('no space left') }) });
    await assert.rejects(run(), /no space left/);
  });

  it('says "Cannot connect" when, and only when, connect failed', async () => {
    const looks = [
      { seen: () => Promise.reject(unreachable), says: true },
      { seen: async () => underWay, says: false },
      { seen: () => Promise.reject(new Error('odd answer')), says: false },
      { seen: () => new Promise<Look>(() => {}), says: false },
    ];
    const silences = [{ attempt: lost }, { patienceMs: 10 }, { boundMs: Promise.resolve(0) }];
    for (const { seen, says } of looks) {
      for (const over of silences) {
        const { clock, run } = scene({ seen, ...over });
        await assert.rejects(after(clock, 60_000, run()), (error: Error) => {
          assert.equal(error instanceof EngineUnreachableError, says);
          assert[says ? 'match' : 'doesNotMatch'](error.message, /cannot connect/i);
          return true;
        });
      }
    }
  });

  it('rejects with the caller’s reason when the caller leaves', async () => {
    const caller = new AbortController();
    const asked = scene({}).run(caller.signal);
    caller.abort(new Error('I left'));
    await assert.rejects(asked, /I left/);
  });
});
