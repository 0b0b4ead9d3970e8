import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import * as fc from 'fast-check';
import { BUDGET_HEADER, OPERATION_HEADER, waitForBoundMs } from '@fairlead/protocol';
import type { StopOptions, StopResult } from '../deadlines/lifecycle.ts';
import { DeadlineTooShortError, EngineOverdueError, PendingError } from '../errors.ts';
import { FakeClock } from '../fake-clock.fixture.ts';
import { FakeEngine, json } from '../fake-engine.fixture.ts';
import { StopEngine } from './stop-engine.fixture.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 3600 * 1000;

interface Asked {
  readonly clock: FakeClock;
  readonly stopping: Promise<StopResult>;
}

async function ask(engine: StopEngine, options: StopOptions = {}): Promise<Asked> {
  const clock = new FakeClock();
  const client = engine.clientOn(clock);
  const stopping = client.containers.stop('web', options);
  stopping.catch(() => {});
  await engine.stopped();
  return { clock, stopping };
}

async function pendingOf({ clock, stopping }: Asked, ms: number): Promise<PendingError> {
  await clock.pass(ms);
  const error: unknown = await stopping.catch((failure: unknown) => failure);
  assert.ok(error instanceof PendingError, String(error));
  return error;
}

describe('acceptance: deadlines', () => {
  it('a stop with a 10-minute grace', async () => {
    const engine = new StopEngine();
    const { clock, stopping } = await ask(engine, { graceMs: 10 * MINUTE_MS });
    await clock.pass(10 * MINUTE_MS + 13_000);
    engine.exit(137);
    const { changed, outcome, exitCode, late } = await stopping;
    assert.deepEqual([changed, outcome, exitCode, late], [true, 'killed', 137, false]);
    assert.match(engine.stops[0]?.line ?? '', /\/stop\?t=600 /);
  });

  it('a stop with a 10-minute grace that only the container knows of', async () => {
    const engine = new StopEngine({ stopTimeout: 600 });
    const { clock, stopping } = await ask(engine);
    await clock.pass(10 * MINUTE_MS + 13_000);
    engine.exit(0);
    assert.equal((await stopping).outcome, 'exited');
    assert.match(engine.stops[0]?.line ?? '', /\/stop HTTP/);
  });

  it('a log followed in silence for 10 minutes: nothing of ours or of the transport has a limit', async () => {
    const socketLimits: number[] = [];
    const engine = new FakeEngine(({ line, socket }) => {
      if (line.includes('/json ')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 23\r\n\r\n{"Config":{"Tty":true}}');
      else socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n');
    });
    const dial = engine.dial.bind(engine);
    engine.dial = async (signal) =>
      Object.assign(await dial(signal), { setTimeout: (ms: number) => void socketLimits.push(ms) });
    const clock = new FakeClock();
    mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
    try {
      await using client = engine.clientOn(clock);
      const lines = client.containers.logs('web', { follow: true });
      const next = lines.next();
      while (engine.requests.length < 2) await new Promise((resolve) => setImmediate(resolve));
      clock.advance(10 * MINUTE_MS);
      mock.timers.tick(10 * MINUTE_MS);
      engine.requests[1]?.socket.write('2026-01-01T00:00:00Z still here\n');
      assert.equal((await next).value?.text, 'still here');
      await lines.return();
    } finally {
      mock.timers.reset();
    }
    assert.deepEqual(
      socketLimits.filter((ms) => ms > 0),
      [],
    );
  });

  it('a patience that ends first: the error says what was asked, how far it is and how to go on', async () => {
    const error = await pendingOf(await ask(new StopEngine({ stopTimeout: 20 }), { patienceMs: 20_000 }), 20_000);
    assert.equal(
      error.message,
      [
        'Gave up after 20.0 s. The engine was asked to give "web" up to 20.0 s to exit before killing it, so it could not have ' +
          'answered sooner. The stop goes on in the engine and ends at the latest in 14.0 s.',
        '  wait for it:          fairlead wait web',
        '  give it more time:    fairlead stop --within 36s web        (or drop your timeout: the default is long enough)',
      ].join('\n'),
    );
  });

  for (const isFairlead of [true, false]) {
    it(`waiting on for what is pending gives the result, ${isFairlead ? 'from the ledger' : 'by wait and inspect'}`, async () => {
      const engine = new StopEngine({ isFairlead });
      const error = await pendingOf(await ask(engine, { patienceMs: 2_000 }), 2_000);
      const waiting = error.operation.wait();
      await sleep(20);
      engine.exit(137);
      const { changed, outcome, exitCode, late } = await waiting;
      assert.deepEqual([changed, outcome, exitCode, late], [true, 'killed', 137, true]);
      const id = engine.stops[0]?.headers[OPERATION_HEADER.toLowerCase()];
      const waits = engine.requests.filter(({ line }) => line.includes('/wait')).map(({ line }) => line);
      assert.deepEqual(waits, [
        isFairlead
          ? `GET /fairlead/operations/${id}/wait HTTP/1.1`
          : 'POST /v1.44/containers/web/wait?condition=not-running HTTP/1.1',
      ]);
      assert.equal(engine.stops.length, 1);
    });
  }

  it('a connection that is lost on the way: the ledger knows better', async () => {
    const engine = new StopEngine({ isFairlead: true, onStop: ({ socket }) => void socket.destroy() });
    const { stopping } = await ask(engine);
    await sleep(20);
    engine.exit(0);
    const { outcome, exitCode, late, tookMs } = await stopping;
    assert.deepEqual([outcome, exitCode, late, tookMs], ['exited', 0, true, 77]);
  });

  it('a create whose answer is lost is found in the ledger, and not made twice', async () => {
    const engine = new FakeEngine(({ line, socket }) => {
      if (line.startsWith('POST')) return void socket.destroy();
      if (line.includes('/info')) return void socket.write(json('200 OK', {}));
      const Outcome = { Result: 'succeeded', TookMs: 5 };
      return void socket.write(
        json('200 OK', { Verb: 'create', Target: { Id: 'c9', Name: 'web' }, Phases: [], Outcome }),
      );
    }, 'Fairlead/1 (linux)');
    const { Id } = await engine.clientOn(new FakeClock()).containers.create({ Image: 'x' }, { name: 'web' });
    assert.equal(Id, 'c9');
    assert.equal(engine.requests.filter(({ line }) => line.startsWith('POST')).length, 1);
  });

  it('a create whose answer is lost without a ledger is not taken for one that was never asked', async () => {
    const engine = new FakeEngine(({ line, socket }) => {
      if (line.startsWith('POST')) socket.destroy();
      else socket.write(json('404 Not Found', { message: 'No such container: web' }));
    });
    const creating = engine.clientOn(new FakeClock()).containers.create({ Image: 'x' }, { name: 'web' });
    await assert.rejects(creating, /ended before it answered \(create web\)/);
  });

  it('a total and a grace that do not fit: nothing is sent', async () => {
    const engine = new StopEngine();
    const stopping = engine.clientOn(new FakeClock()).containers.stop('web', { withinMs: 20_000, graceMs: 20_000 });
    await assert.rejects(stopping, (error: Error) => {
      assert.ok(error instanceof DeadlineTooShortError);
      assert.match(
        error.message,
        /20 s of grace, 14 s for a kill.*make 35\.7 s\. Nothing was sent\.\n.*\n.*shorter grace/,
      );
      return true;
    });
    assert.deepEqual(engine.requests, []);
  });

  it('an engine that stands still is overdue, and not unreachable', async () => {
    const engine = new StopEngine({ isMute: true });
    const { clock, stopping } = await ask(engine);
    await clock.pass(40_000, 16);
    await assert.rejects(stopping, (error: Error) => {
      assert.ok(error instanceof EngineOverdueError);
      assert.match(error.message, /accepts connections and answers nothing/);
      return true;
    });
  });

  it('an engine that does not even say what it is is overdue before anything is sent', async () => {
    const engine = new FakeEngine(() => {});
    const clock = new FakeClock();
    engine.dial = async () => (await import('node:stream')).duplexPair()[0];
    const stopping = engine.clientOn(clock).containers.stop('web');
    stopping.catch(() => {});
    await clock.pass(30_000);
    await assert.rejects(stopping, /has not said in time which engine it is\. Nothing was sent \(stop web\)/);
  });

  it('the budget on the wire is longer than the engine’s own bound, for any grace', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 100_000 }), async (graceS) => {
        const engine = new StopEngine();
        const { stopping } = await ask(engine, { graceMs: graceS * 1000 });
        engine.exit(0);
        await stopping;
        const budgetMs = Number(engine.stops[0]?.headers[BUDGET_HEADER.toLowerCase()]);
        const boundMs = graceS * 1000 + 14_000;
        assert.ok(budgetMs >= boundMs + 1000 + boundMs * 0.02 && budgetMs <= waitForBoundMs(boundMs));
      }),
      { numRuns: 20 },
    );
  });

  it('no outcome changes with the wall clock, which may jump by a day while a stop runs', async () => {
    const outcomeWith = async (jumpsMs: readonly number[], exitAfterMs: number): Promise<string> => {
      const engine = new StopEngine({ stopTimeout: 20 });
      const { clock, stopping } = await ask(engine, { patienceMs: 25_000 });
      for (const jumpMs of jumpsMs) {
        mock.timers.setTime(Math.max(0, Date.now() + jumpMs));
        clock.advance(exitAfterMs / Math.max(1, jumpsMs.length));
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (exitAfterMs < 25_000) engine.exit(0);
      return await stopping.then(
        ({ outcome, late }) => `${outcome} ${late}`,
        (error: Error) => `${error.constructor.name} ${error.message}`,
      );
    };
    mock.timers.enable({ apis: ['Date'], now: Date.UTC(2026, 0, 1) });
    try {
      const jump = fc.integer({ min: -DAY_MS, max: DAY_MS });
      await fc.assert(
        fc.asyncProperty(
          fc.array(jump, { minLength: 1, maxLength: 4 }),
          fc.constantFrom(0, 10_000, 24_000, 25_000),
          async (jumps, exitAfterMs) => {
            const still = jumps.map(() => 0);
            assert.equal(await outcomeWith(jumps, exitAfterMs), await outcomeWith(still, exitAfterMs));
          },
        ),
        { numRuns: 15 },
      );
    } finally {
      mock.timers.reset();
    }
  });
});
