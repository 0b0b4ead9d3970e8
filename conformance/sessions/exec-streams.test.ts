import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { RawConnection } from '../raw-http.ts';
import { FAIRLEAD_ALONE, sessions, type Session } from '../sessions.ts';

const MIB = 1024 * 1024;
const ROUND_TRIP_BYTES = 200 * MIB;
const BLOCK_BYTES = 256 * 1024;
/** What the engine may hold of a stream on its way: pipes, sockets and a garbage collection that is late. */
const RSS_GROWTH_BYTES_MAX = 64 * MIB;
/** Frames of an API before 1.42 and after are the same; a terminal has none. */
const RAW = { Tty: true };

/** How many execs must have their code at the end of their stream. dockerd takes 70 ms for each, and is not on trial. */
const EXECS = { fairlead: Number(process.env['CONFORMANCE_EXECS'] ?? 1_000), dockerd: 100 };
const EXECS_AT_ONCE = 8;

async function create(session: Session, container: string, config: Readonly<Record<string, unknown>>): Promise<string> {
  const { body } = await session.ask(`POST /containers/${container}/exec`, { json: config });
  const { Id } = JSON.parse(body) as { Id: string };
  return Id;
}

/** Starts an exec on a connection of its own, up to the end of the head. */
async function start(
  session: Session,
  id: string,
  options: Readonly<Record<string, unknown>> = {},
): Promise<RawConnection> {
  const stream = await RawConnection.open(session.engine.socketPath);
  await stream.upgrade(`POST /exec/${id}/start`, options);
  assert.equal((await stream.head()).status, 101);
  return stream;
}

function rssBytes(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+) kB/)?.[1]) * 1024;
}

function descriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Some are closed a moment after the answer. */
async function until(holds: () => boolean | Promise<boolean>, withinMs = 10_000): Promise<boolean> {
  const end = performance.now() + withinMs;
  while (performance.now() < end) {
    if (await holds()) return true;
    await sleep(50);
  }
  return await holds();
}

sessions('an exec’s stream', (session) => {
  describe('one after the other', { concurrency: 1 }, () => {
    it('carries 200 MB through stdin → cat → stdout intact, with bounded memory', async () => {
      const name = await session.background();
      // Framed by the create's terminal, raw by the start's: what comes back is what cat printed.
      const id = await create(session, name, { Cmd: ['cat'], AttachStdin: true, AttachStdout: true });
      using stream = await start(session, id, RAW);
      const block = randomBytes(BLOCK_BYTES);
      const [sent, received] = [createHash('sha256'), createHash('sha256')];
      const before = rssBytes(session.engine.pid);
      let peak = before;
      const sending = (async (): Promise<void> => {
        for (let bytes = 0; bytes < ROUND_TRIP_BYTES; bytes += BLOCK_BYTES) {
          block.writeUInt32LE(bytes / BLOCK_BYTES);
          sent.update(block);
          await stream.send(Buffer.from(block));
        }
        stream.halfClose();
      })();
      let count = 0;
      for await (const bytes of stream.rest()) {
        count += bytes.length;
        received.update(bytes);
        if (count % MIB < bytes.length) peak = Math.max(peak, rssBytes(session.engine.pid));
      }
      await sending;
      assert.equal(count, ROUND_TRIP_BYTES);
      assert.equal(received.digest('hex'), sent.digest('hex'));
      const { body } = await session.ask(`GET /exec/${id}/json`);
      assert.match(body, /"Running":false,"ExitCode":0/);
      if (session.kind === 'fairlead')
        assert.ok(peak - before < RSS_GROWTH_BYTES_MAX, `grew by ${(peak - before) / MIB} MiB`);
    });

    const STALLS: readonly { readonly what: string; readonly open: (name: string) => Promise<RawConnection> }[] = [
      {
        what: 'an exec',
        open: async (name) =>
          await start(session, await create(session, name, { Cmd: ['/bin/fill'], AttachStdout: true })),
      },
      { what: 'an attached container', open: async (name) => await attach(name) },
    ];
    for (const { what, open } of STALLS) {
      it(`a client of ${what} that stops reading stalls the process, and nothing else`, async () => {
        const name = session.name();
        const fill = 'while :; do head -c 65536 /dev/zero; echo >> /progress; done';
        await session.docker.ok(
          'create',
          '--name',
          name,
          'busybox',
          'sh',
          '-c',
          what === 'an exec' ? 'sleep 1000' : fill,
        );
        if (what === 'an exec') {
          await session.docker.ok('start', name);
          await session.docker.ok(
            'exec',
            name,
            'sh',
            '-c',
            `printf '#!/bin/sh\\n%s\\n' '${fill}' > /bin/fill; chmod 755 /bin/fill`,
          );
        }
        using stream = await open(name);
        if (what !== 'an exec') await session.docker.ok('start', name);
        const progress = async (): Promise<number> =>
          Number(await session.docker.ok('exec', name, 'sh', '-c', 'touch /progress; wc -l < /progress'));
        let [last, now] = [-1, 0];
        const stalled = await until(async () => {
          [last, now] = [now, await progress()];
          await sleep(150);
          return now > 0 && now === last;
        });
        assert.ok(stalled, `it went on, from ${last} to ${now}`);
        assert.ok(now * 65_536 < 32 * MIB, `${now * 64} KiB were taken of a client that reads nothing`);
        const asked = performance.now();
        assert.equal(await session.docker.ok('exec', name, 'echo', 'another'), 'another');
        assert.equal((await session.ask('GET /_ping')).status, 200);
        assert.ok(performance.now() - asked < 2_000);
        let read = 0;
        for await (const bytes of stream.rest()) if ((read += bytes.length) > 64 * MIB) break;
        const further = await progress();
        assert.ok(read > 64 * MIB && further > now, `${read} bytes came; progress was ${now}, is ${further}`);
      });
    }

    async function attach(name: string): Promise<RawConnection> {
      const stream = await RawConnection.open(session.engine.socketPath);
      await stream.request(
        `POST /containers/${name}/attach?stream=1&stdout=1`,
        'Connection: Upgrade',
        'Upgrade: tcp',
        'Content-Length: 0',
      );
      assert.equal((await stream.head()).status, 101);
      return stream;
    }

    it(`has its exit code at the first inspect after its end, ${EXECS[session.kind]} times of ${EXECS[session.kind]}`, async () => {
      const names = await Promise.all([1, 2, 3, 4].map(() => session.background()));
      const wrong: string[] = [];
      let next = 0;
      const work = async (): Promise<void> => {
        for (let count = next++; count < EXECS[session.kind]; count = next++) {
          const code = count % 100;
          // Some print, some are silent, some end before their head is read.
          const Cmd = count % 3 === 0 ? ['true'] : ['sh', '-c', `${count % 3 === 1 ? 'echo out; ' : ''}exit ${code}`];
          const id = await create(session, names[count % names.length] ?? '', {
            Cmd,
            AttachStdout: true,
            AttachStderr: true,
          });
          using stream = await start(session, id);
          for await (const _ of stream.rest());
          const { Running, ExitCode } = JSON.parse((await session.ask(`GET /exec/${id}/json`)).body) as {
            Running: boolean;
            ExitCode: number | null;
          };
          if (Running || ExitCode !== (count % 3 === 0 ? 0 : code))
            wrong.push(`${count}: running ${Running}, code ${ExitCode} of ${code}`);
        }
      };
      await Promise.all(Array.from({ length: EXECS_AT_ONCE }, work));
      assert.deepEqual(wrong, []);
    });
  });
});

sessions(
  'clients that vanish',
  (session) => {
    const VANISH: readonly {
      readonly what: string;
      readonly config: Readonly<Record<string, unknown>>;
      readonly tty?: boolean;
    }[] = [
      { what: 'cat', config: { Cmd: ['cat'], AttachStdin: true, AttachStdout: true } },
      { what: 'a terminal', config: { Cmd: ['sh'], AttachStdin: true, AttachStdout: true, Tty: true }, tty: true },
      { what: 'a program that prints without end', config: { Cmd: ['yes'], AttachStdout: true } },
      { what: 'a silent program', config: { Cmd: ['sleep', '1000'], AttachStdout: true, AttachStderr: true } },
    ];
    for (const { what, config, tty = false } of VANISH) {
      it(`of ${what} leave no descriptor in the engine`, async () => {
        // The engine's own start-up descriptors are open by now.
        const before = descriptors(session.engine.pid);
        const name = await session.background();
        for (let count = 0; count < 10; count += 1) {
          using stream = await start(session, await create(session, name, config), { Tty: tty });
          if (count % 2 === 0) await stream.send('x');
          if (count % 3 === 0) await sleep(20);
        }
        await session.docker.ok('rm', '-f', name);
        assert.ok(
          await until(() => descriptors(session.engine.pid) <= before),
          `${before} before, ${descriptors(session.engine.pid)} after`,
        );
      });
    }

    it('of cat end it, because its input has ended', async () => {
      const name = await session.background();
      const id = await create(session, name, { Cmd: ['cat'], AttachStdin: true, AttachStdout: true });
      const stream = await start(session, id);
      await stream.send('x');
      await sleep(100);
      stream[Symbol.dispose]();
      assert.ok(
        await until(async () =>
          (await session.ask(`GET /exec/${id}/json`)).body.includes('"Running":false,"ExitCode":0'),
        ),
      );
    });

    for (const target of [
      'attach?stream=1&stdout=1&stdin=1',
      'logs?stdout=1&follow=1',
      'wait',
      'wait?condition=removed',
    ]) {
      it(`of ${target} leave no descriptor in the engine, while the container goes on`, async () => {
        const name = await session.background(['-i'], ['sh', '-c', 'while :; do echo on; sleep 0.02; done']);
        const before = descriptors(session.engine.pid);
        for (let count = 0; count < 10; count += 1) {
          using stream = await RawConnection.open(session.engine.socketPath);
          await stream.request(
            `${target.startsWith('logs') ? 'GET' : 'POST'} /containers/${name}/${target}`,
            'Content-Length: 0',
          );
          await stream.head();
        }
        assert.ok(
          await until(() => descriptors(session.engine.pid) <= before),
          `${before} before, ${descriptors(session.engine.pid)} after`,
        );
        assert.equal(await session.inspect(name, '{{.State.Status}}'), 'running');
      });
    }
  },
  { kinds: FAIRLEAD_ALONE, atOnce: 1 },
);
