import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { RawConnection } from '../raw-http.ts';
import { FAIRLEAD_ALONE, sessions } from '../sessions.ts';

const ENDLESS_BYTES_MAX = 64 * 1024 * 1024;

// Docker has hardly any limits to compare these with.
sessions(
  'bad manners',
  (session) => {
    const descriptors = (): number => readdirSync(`/proc/${session.engine.pid}/fd`).length;

    /** The engine lives, answers at once, and has closed what it opened. */
    async function unharmed(before: number): Promise<void> {
      const asked = performance.now();
      assert.equal((await session.ask('GET /_ping')).body, 'OK');
      assert.ok(performance.now() - asked < 1_000);
      const until = performance.now() + 5_000;
      while (descriptors() > before && performance.now() < until) await sleep(20);
      assert.ok(descriptors() <= before, `${before} descriptors before, ${descriptors()} after`);
    }

    it('a body over the limit is refused, also one without a length and an end', async () => {
      const before = descriptors();
      const announced = await session.ask('POST /containers/create', { json: { Image: 'x'.repeat(5_000_000) } });
      assert.deepEqual(
        [announced.status, announced.body],
        [413, '{"message":"request body is larger than 4194304 bytes"}\n'],
      );
      using endless = await RawConnection.open(session.engine.socketPath);
      await endless.request('POST /containers/create', 'Content-Type: application/json', 'Transfer-Encoding: chunked');
      const head = endless.head().then(({ status }) => status);
      let status: number | undefined;
      for (let sent = 0; status === undefined && sent < ENDLESS_BYTES_MAX; sent += 65_536) {
        const taken = endless.send(`10000\r\n${' '.repeat(65_536)}\r\n`).then(() => undefined);
        // A turn of the event loop, so that an answer is seen before the next piece.
        status = await Promise.race([head, taken.then(() => sleep(1, undefined))]);
      }
      assert.equal(status, 413);
      endless[Symbol.dispose]();
      await unharmed(before);
    });

    it('a head over the limit is refused', async () => {
      const before = descriptors();
      const { status, body } = await session.ask('GET /info', { headers: { 'X-Long': 'x'.repeat(200_000) } });
      assert.deepEqual([status, body], [431, '{"message":"request headers are too large"}\n']);
      await unharmed(before);
    });

    it('what is no HTTP at all is refused and closed', async () => {
      const before = descriptors();
      for (const bytes of [
        '\x16\x03\x01\x02\x00\x01\x00\x01\xfc',
        'nonsense\r\n\r\n',
        '\0\0\0\0\r\n\r\n',
        'GET /info HTTP/1.1\r\nbad header line\r\n\r\n',
        'GET  HTTP/1.1\r\n\r\n',
      ]) {
        using connection = await RawConnection.open(session.engine.socketPath);
        await connection.send(bytes);
        if (bytes.endsWith('\n')) {
          assert.equal((await connection.head()).status, 400);
          for await (const _ of connection.rest());
        }
      }
      await unharmed(before);
    });

    it('two lengths, or a length and chunks, are refused', async () => {
      const before = descriptors();
      for (const headers of [
        ['Content-Length: 2', 'Content-Length: 3'],
        ['Content-Length: 2', 'Transfer-Encoding: chunked'],
        ['Content-Length: -1'],
        ['Content-Length: 2x'],
      ]) {
        using connection = await RawConnection.open(session.engine.socketPath);
        await connection.request('POST /containers/create', 'Content-Type: application/json', ...headers);
        assert.equal((await connection.head()).status, 400, headers.join(', '));
      }
      await unharmed(before);
    });

    it('two hundred clients that send their heads a byte at a time keep nobody waiting', async () => {
      const before = descriptors();
      const slow = await Promise.all(Array.from({ length: 200 }, () => RawConnection.open(session.engine.socketPath)));
      for (const byte of 'GET /info HTT') await Promise.all(slow.map((connection) => connection.send(byte)));
      const asked = performance.now();
      assert.equal((await session.ask('GET /_ping')).status, 200);
      assert.equal((await session.docker.run(['run', '--rm', 'busybox', 'true'])).exitCode, 0);
      assert.ok(performance.now() - asked < 3_000);
      for (const connection of slow) connection[Symbol.dispose]();
      await unharmed(before);
    });

    it('requests cut off at every place leave nothing behind', async () => {
      const name = await session.background(['-i'], ['cat']);
      const before = descriptors();
      const body = JSON.stringify({ Detach: false, Tty: false });
      const execs = await Promise.all(
        Array.from({ length: 12 }, async () => {
          const { body: made } = await session.ask(`POST /containers/${name}/exec`, {
            json: { Cmd: ['cat'], AttachStdin: true, AttachStdout: true },
          });
          return (JSON.parse(made) as { Id: string }).Id;
        }),
      );
      const upgrade = 'Host: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n';
      const whole = [
        `POST /exec/${execs[0]}/start HTTP/1.1\r\n${upgrade}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        `POST /containers/${name}/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\n${upgrade}Content-Length: 0\r\n\r\n`,
        `POST /containers/create HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\nContent-Length: 40\r\n\r\n{"Image":"busybox"`,
        'POST /images/load HTTP/1.1\r\nHost: docker\r\nTransfer-Encoding: chunked\r\n\r\n200\r\nno archive',
      ];
      for (const request of whole) {
        for (let cut = 1; cut <= request.length; cut += Math.ceil(request.length / 12)) {
          using connection = await RawConnection.open(session.engine.socketPath);
          await connection.send(request.slice(0, cut));
          if (cut % 2 === 0) await sleep(2);
        }
      }
      for (const id of execs.slice(1)) {
        using connection = await RawConnection.open(session.engine.socketPath);
        await connection.upgrade(`POST /exec/${id}/start`, { Detach: false });
      }
      await unharmed(before);
      assert.equal(await session.inspect(name, '{{.State.Status}}'), 'running');
      assert.equal((await session.docker.run(['load'], '')).exitCode, 1);
    });

    it('an exec start whose body is cut off can still be started', async () => {
      const name = await session.background();
      const { body } = await session.ask(`POST /containers/${name}/exec`, {
        json: { Cmd: ['true'], AttachStdout: true },
      });
      const { Id } = JSON.parse(body) as { Id: string };
      const cut = await RawConnection.open(session.engine.socketPath);
      await cut.request(
        `POST /exec/${Id}/start`,
        'Connection: Upgrade',
        'Upgrade: tcp',
        'Content-Type: application/json',
        'Content-Length: 100',
      );
      await cut.send('{"Detach":');
      cut[Symbol.dispose]();
      await sleep(100);
      assert.equal((await session.ask(`POST /exec/${Id}/start`, { json: { Detach: true } })).status, 200);
    });

    it('a body cut off in the middle of a create creates nothing', async () => {
      const name = session.name();
      using cut = await RawConnection.open(session.engine.socketPath);
      await cut.request(`POST /containers/create?name=${name}`, 'Content-Type: application/json', 'Content-Length: 21');
      await cut.send('{"Image":"busybox"}');
      cut.halfClose();
      for await (const _ of cut.rest());
      assert.equal(await session.docker.ok('ps', '-aq', '--filter', `name=${name}`), '');
    });
  },
  { kinds: FAIRLEAD_ALONE, atOnce: 1 },
);
