import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NotReadyError } from '../errors.ts';
import { type FakeAnswer, FakeEngine, json } from '../fake-engine.fixture.ts';
import type { Goal } from './until.ts';

const NEVER = '0001-01-01T00:00:00Z';
const CREATED = {
  Status: 'created',
  Running: false,
  Restarting: false,
  ExitCode: 0,
  Error: '',
  StartedAt: NEVER,
  FinishedAt: NEVER,
};
const RUNNING = { ...CREATED, Status: 'running', Running: true, StartedAt: '2026-01-01T00:00:00Z' };
const EXITED = { ...RUNNING, Status: 'exited', Running: false, ExitCode: 7, Error: 'no space left' };
const probe = (Output: string): object => ({ Start: '', End: '', ExitCode: 1, Output });
const health = (Status: string, ...Log: readonly object[]): object => ({
  ...RUNNING,
  Health: { Status, FailingStreak: 0, Log },
});
const REMOVED = undefined;
const STARTED_TO_LISTEN = '2026-01-01T00:00:00.000000001Z listening on 80\r\n';

/** An engine whose container is in these states, one after the other: each look shows the next, and an event announces it. */
function engineWith(...states: readonly (object | undefined)[]): FakeEngine {
  let looks = 0;
  let tell = (): void => {};
  return new FakeEngine(({ line, socket }) => {
    if (line.includes('/events')) {
      socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n');
      let told = 0;
      tell = () => {
        told += 1;
        const event = {
          Type: 'container',
          Action: `change-${told}`,
          Actor: { ID: 'c1', Attributes: {} },
          timeNano: told * 1e6,
        };
        socket.write(`${JSON.stringify(event)}\n`);
      };
      return;
    }
    // The first look is for the id.
    const state = states[Math.min(Math.max(0, looks - 1), states.length - 1)];
    looks += 1;
    if (state === undefined) socket.write(json('404 Not Found', { message: 'No such container: c1' }));
    else
      socket.write(
        json('200 OK', { Id: 'c1', Name: '/web', State: state, Config: {}, HostConfig: {}, NetworkSettings: {} }),
      );
    if (looks > 1 && looks <= states.length) setImmediate(tell);
  });
}

describe('untilContainer', () => {
  const reached: readonly {
    readonly name: string;
    readonly goal: Goal;
    readonly states: readonly (object | undefined)[];
  }[] = [
    { name: 'running at last', goal: 'running', states: [CREATED, RUNNING] },
    {
      name: 'running again, after a restart of its policy',
      goal: 'running',
      states: [{ ...RUNNING, Restarting: true }, RUNNING],
    },
    {
      name: 'healthy at last',
      goal: 'healthy',
      states: [CREATED, health('starting'), health('unhealthy'), health('healthy')],
    },
    { name: 'exited', goal: 'exited', states: [RUNNING, EXITED] },
    { name: 'exited, and removed before anyone could look', goal: 'exited', states: [RUNNING, REMOVED] },
  ];
  for (const { name, goal, states } of reached) {
    it(`is there: ${name}`, async () => {
      await using client = await engineWith(...states).client();
      const { container } = await client.containers.until('web', goal);
      assert.deepEqual(container?.State, states.at(-1));
    });
  }

  const hopeless: readonly {
    readonly goal: Goal;
    readonly states: readonly (object | undefined)[];
    readonly message: string;
  }[] = [
    {
      goal: 'running',
      states: [CREATED, EXITED],
      message: '"web" exited with code 7 (no space left) before it was running.',
    },
    { goal: 'healthy', states: [health('starting'), REMOVED], message: '"web" was removed before it was healthy.' },
    { goal: 'healthy', states: [RUNNING], message: '"web" has no health check, so it never becomes healthy.' },
    { goal: 'healthy', states: [health('')], message: '"web" has no health check, so it never becomes healthy.' },
    {
      goal: 'healthy',
      states: [health('starting'), { ...health('unhealthy', probe('old'), probe('refused\n')), ...EXITED }],
      message:
        '"web" exited with code 7 (no space left) before it was healthy. Its last probe (exit code 1) said: refused',
    },
    { goal: { log: /ready/ }, states: [CREATED, REMOVED], message: '"web" was removed before it wrote /ready/.' },
    {
      goal: { port: 80 },
      states: [CREATED, EXITED],
      message: '"web" exited with code 7 (no space left) before it was running.',
    },
  ];
  for (const { goal, states, message } of hopeless) {
    it(`ends when it is hopeless: ${message}`, async () => {
      await using client = await engineWith(...states).client();
      await assert.rejects(client.containers.until('web', goal), (error: Error) => {
        assert.ok(error instanceof NotReadyError);
        assert.equal(error.message, message);
        return true;
      });
    });
  }

  it('looks once more when the time is over, and says what the last probe said', async () => {
    const engine = engineWith(health('starting'), health('starting', probe('connection refused')));
    await using client = await engine.client();
    await assert.rejects(client.containers.until('web', 'healthy', { withinMs: 300 }), (error: Error) => {
      assert.ok(error instanceof NotReadyError);
      assert.equal(
        error.message,
        '"web" was not healthy within 0.3 s: it is running and starting. Its last probe (exit code 1) said: connection refused',
      );
      assert.equal(error.lastProbe?.Output, 'connection refused');
      return true;
    });
  });

  it('does not wait for the end of a log that Podman forgot to end', async () => {
    const answer: FakeAnswer = ({ line, socket }) => {
      const State = engine.requests.length > 4 ? EXITED : RUNNING;
      if (line.includes('/logs')) socket.write(`HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${STARTED_TO_LISTEN}`);
      else if (!line.includes('/events'))
        socket.write(json('200 OK', { Id: 'c1', Name: '/web', State, Config: { Tty: true }, HostConfig: {} }));
    };
    const engine = new FakeEngine(answer, 'Libpod/3.4.4\r\nLibpod-Api-Version: 3.4.4');
    await using client = await engine.client();
    await assert.rejects(
      client.containers.until('web', { log: /nothing/ }),
      /"web" exited with code 7 .* before it wrote/,
    );
  });

  it('says that there is no way to a port', async () => {
    await using client = await engineWith(RUNNING).client();
    await assert.rejects(client.containers.until('web', { port: 80 }), /no way to port 80 of "web"/);
  });

  it('rejects with the caller’s reason', async () => {
    const caller = new AbortController();
    await using client = await engineWith(CREATED).client();
    const waiting = client.containers.until('web', 'running', { signal: caller.signal, withinMs: 60_000 });
    setTimeout(() => caller.abort(new Error('I left')), 50);
    await assert.rejects(waiting, /I left/);
  });
});
