import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { State } from '@fairlead/protocol';
import { connectionLost, EngineOverdueError, EngineUnreachableError, PendingError } from '../errors.ts';
import { type BoundedOperation, runBounded } from './run-bounded.ts';

const never = new AbortController().signal;
const running = { Running: true } as State;
const exited = { Running: false } as State;
const unreachable = new EngineUnreachableError('Cannot connect to the engine at unix:///x', {
  errno: 'ENOENT',
  address: 'unix:///x',
});

function silent(signal: AbortSignal): Promise<string> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}

function stop(over: Partial<BoundedOperation<string>>): BoundedOperation<string> {
  return {
    operation: 'stop web',
    attempt: silent,
    boundMs: Promise.resolve(60_000),
    patienceMs: Infinity,
    settled: (state) => (state === 'removed' || !state.Running ? 'late' : undefined),
    pending: (waitedMs, boundMs) => `gave up after ${waitedMs >= 30}, bound ${boundMs}`,
    wait: async () => {},
    ...over,
  };
}

describe('runBounded', () => {
  it('gives the answer when it comes', async () => {
    assert.equal(await runBounded({ probe: async () => running }, stop({ attempt: async () => 'ok' }), never), 'ok');
  });

  it('passes on what the engine refused, without a probe', async () => {
    const probe = (): Promise<State> => assert.fail('probed');
    await assert.rejects(
      runBounded({ probe }, stop({ attempt: () => Promise.reject(new Error('404')) }), never),
      /404/,
    );
  });

  it('says pending when patience ends first, and how to go on', async () => {
    await assert.rejects(
      runBounded({ probe: async () => running }, stop({ patienceMs: 30 }), never),
      (error: Error) => {
        assert.ok(error instanceof PendingError);
        assert.ok(error.operation.endsWithinMs > 59_000 && error.operation.endsWithinMs < 60_000);
        return true;
      },
    );
  });

  it('counts as success, late, when the state is reached although the answer never came', async () => {
    assert.equal(await runBounded({ probe: async () => exited }, stop({ patienceMs: 10 }), never), 'late');
    const lost = (): Promise<string> => Promise.reject(connectionLost('stop web', new Error('ECONNRESET')));
    assert.equal(await runBounded({ probe: async () => exited }, stop({ attempt: lost }), never), 'late');
  });

  it('says overdue when the bound is over and the container still runs', async () => {
    const asked = stop({ boundMs: Promise.resolve(0), patienceMs: Infinity });
    await assert.rejects(runBounded({ probe: async () => running }, asked, never), EngineOverdueError);
  });

  it('says "Cannot connect" when, and only when, connect failed', async () => {
    const lost = (): Promise<string> => Promise.reject(connectionLost('stop web', new Error('socket hang up')));
    const cases = [
      { probe: () => Promise.reject(unreachable), says: true },
      { probe: async () => running, says: false },
      { probe: () => Promise.reject(new Error('odd answer')), says: false },
    ];
    const silences = [{ attempt: lost }, { patienceMs: 10 }, { boundMs: Promise.resolve(0) }];
    const asked = cases.flatMap(({ probe, says }) =>
      silences.map((over) =>
        assert.rejects(runBounded({ probe }, stop(over), never), (error: Error) => {
          assert.equal(error instanceof EngineUnreachableError, says);
          assert[says ? 'match' : 'doesNotMatch'](error.message, /cannot connect/i);
          return true;
        }),
      ),
    );
    await Promise.all(asked);
  });

  it('rejects with the caller’s reason when the caller leaves', async () => {
    const caller = new AbortController();
    const asked = runBounded({ probe: async () => running }, stop({}), caller.signal);
    await sleep(5);
    caller.abort(new Error('I left'));
    await assert.rejects(asked, /I left/);
  });
});
