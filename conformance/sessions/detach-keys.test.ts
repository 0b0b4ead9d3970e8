import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { RawConnection } from '../raw-http.ts';
import { FAIRLEAD_ALONE, sessions, type Session } from '../sessions.ts';

/** So far apart that they are chunks of their own on every machine. */
const BETWEEN_KEYS_MS = 100;

async function type(stream: RawConnection, ...keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    await stream.send(key);
    await sleep(BETWEEN_KEYS_MS);
  }
}

async function actionsOf(session: Session, name: string, action: string): Promise<string> {
  const until = String(Math.ceil(Date.now() / 1000) + 1);
  const filters = ['--filter', `container=${name}`, '--filter', `event=${action}`];
  return await session.docker.ok('events', '--since', '60s', '--until', until, ...filters, '--format', '{{.Action}}');
}

/** The docker CLI looks for the keys itself and leaves: these clients do not. */
sessions('detach keys that the engine looks for', (session) => {
  it('end an attachment, one by one; the container goes on', async () => {
    const name = await session.background(['-it'], ['cat']);
    using stream = await RawConnection.open(session.engine.socketPath);
    await stream.upgrade(`POST /containers/${name}/attach?stream=1&stdin=1&stdout=1`, {});
    assert.equal((await stream.head()).status, 101);
    await type(stream, 'seen\n', '\u0010', '\u0011');
    assert.match((await Array.fromAsync(stream.rest())).join(''), /seen/);
    assert.equal(await session.inspect(name, '{{.State.Running}}'), 'true');
    assert.equal(await actionsOf(session, name, 'detach'), 'detach');
  });

  it('can be one’s own; what only begins like them is passed on', async () => {
    const name = await session.background(['-it'], ['cat']);
    using stream = await RawConnection.open(session.engine.socketPath);
    const keys = encodeURIComponent('ctrl-a,x,ctrl-b');
    await stream.upgrade(`POST /containers/${name}/attach?stream=1&stdin=1&stdout=1&detachKeys=${keys}`, {});
    await stream.head();
    await type(stream, 'a', '\u0001', 'x', 'y', '\n', '\u0001', 'x', '\u0002');
    const seen = (await Array.fromAsync(stream.rest())).join('');
    // The terminal shows ctrl-a as ^A; cat gives it back as it is.
    assert.match(seen, /a\^Axy\r\na\u0001xy/);
    assert.equal(await session.inspect(name, '{{.State.Running}}'), 'true');
  });

  it('are input like any other without a terminal', async () => {
    const name = await session.background(['-i'], ['sh', '-c', 'head -c 3 | od -c; sleep 1000']);
    using stream = await RawConnection.open(session.engine.socketPath);
    await stream.upgrade(`POST /containers/${name}/attach?stream=1&stdin=1&stdout=1`, {});
    await stream.head();
    await type(stream, '\u0010', '\u0011', '\n');
    assert.match(String(await stream.read()), /020 021 {2}\\n/);
  });
});

sessions(
  'detach keys of an exec that the engine looks for',
  (session) => {
    it('end the stream; the program goes on, and an event tells', async () => {
      const name = await session.background();
      const json = { Cmd: ['cat'], Tty: true, AttachStdin: true, AttachStdout: true, DetachKeys: 'ctrl-k' };
      const made = await session.ask(`POST /containers/${name}/exec`, { json });
      const { Id } = JSON.parse(made.body) as { readonly Id: string };
      using stream = await RawConnection.open(session.engine.socketPath);
      await stream.upgrade(`POST /exec/${Id}/start`, { Tty: true });
      await stream.head();
      await type(stream, '\u0010', '\u0011', 'more\n', '\u000b');
      // The terminal itself takes ctrl-q.
      assert.match((await Array.fromAsync(stream.rest())).join(''), /\^Pmore/);
      const { body } = await session.ask(`GET /exec/${Id}/json`);
      assert.equal((JSON.parse(body) as { readonly Running: boolean }).Running, true);
      assert.equal(await actionsOf(session, name, 'exec_detach'), 'exec_detach');
    });
  },
  // dockerd says "exec attach failed" instead, against its own documents: engine-api 5.5.
  { kinds: FAIRLEAD_ALONE },
);
