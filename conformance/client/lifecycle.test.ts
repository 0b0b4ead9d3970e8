import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Client,
  connect,
  type CreateBody,
  type EventFeedItem,
  NotReadyError,
  PendingError,
} from '@fairlead/client';
import { clientKinds, type EngineKind, EngineUnderTest } from '../engines.ts';
import { IGNORES_TERM } from '../programs.ts';

/** No network: podman's would change the machine's packet filter. */
const QUIET: CreateBody = { HostConfig: { NetworkMode: 'none' } };
const WAITS = ['sh', '-c', 'echo ready; exec sleep 1000'];
const ENDS_ON_TERM = ['sh', '-c', 'trap "exit 3" TERM; echo ready; while :; do sleep 0.05; done'];

/** Its clean-up of what has ended is a program of its own, which does not find the settings of a private podman. */
const NO_CLEAN_UP = 'nothing cleans up after a private podman';
/** Most of them wait. */
const AT_ONCE = 4;

for (const kind of clientKinds()) {
  describe(`the client, with ${kind}`, () => {
    const cleansUp = kind !== 'podman';
    let engine: EngineUnderTest;
    let docker: Client;
    let names = 0;
    before(async () => {
      engine = await EngineUnderTest.start(kind);
      docker = await connect({ host: engine.host, env: {} });
    });
    after(async () => {
      await docker[Symbol.asyncDispose]();
      await engine[Symbol.asyncDispose]();
    });

    /** Starts a container that has said `ready`, if it says so. */
    const started = async (command: readonly string[], body: CreateBody = {}): Promise<string> => {
      names += 1;
      const name = `life-${names}`;
      const host = { ...QUIET.HostConfig, ...body.HostConfig };
      await docker.containers.create({ ...body, Image: 'busybox', Cmd: command, HostConfig: host }, { name });
      await docker.containers.start(name);
      if (command.at(-1)?.includes('echo ready') === true)
        await docker.containers.until(name, { log: /^ready$/ }, { withinMs: 60_000 });
      return name;
    };

    describe('stop, restart, kill, remove', { concurrency: AT_ONCE }, () => {
      it('a stop that is heeded tells the exit code', async () => {
        const name = await started(ENDS_ON_TERM);
        const { changed, outcome, exitCode, late } = await docker.containers.stop(name, { withinMs: 60_000 });
        assert.deepEqual([changed, outcome, exitCode, late], [true, 'exited', 3, false]);
        const again = await docker.containers.stop(name);
        assert.deepEqual([again.changed, again.outcome], [false, 'already-stopped']);
      });

      it('a stop that is not heeded kills', async () => {
        const { changed, outcome, exitCode } = await docker.containers.stop(await started(IGNORES_TERM), {
          graceMs: 1_000,
        });
        assert.deepEqual([changed, outcome, exitCode], [true, 'killed', 137]);
      });

      it('a caller whose patience ends first is told how to go on, and the stop goes on', async () => {
        const name = await started(IGNORES_TERM);
        const failure = await docker.containers
          .stop(name, { graceMs: 2_000, patienceMs: 500 })
          .catch((error: unknown) => error);
        assert.ok(failure instanceof PendingError, String(failure));
        assert.match(
          failure.message,
          /^Gave up after 0\.\d s\. The engine was asked to give "life-\d+" up to 2\.0 s to exit/,
        );
        const { changed, outcome, exitCode, late } = await failure.operation.wait();
        assert.deepEqual([changed, outcome, exitCode, late], [true, 'killed', 137, true]);
      });

      it('tells how far a stop is', async () => {
        const name = await started(IGNORES_TERM);
        const phases: string[] = [];
        await docker.containers.stop(name, { graceMs: 1_000, onPhase: ({ phase }) => void phases.push(phase) });
        const all = ['accepted', 'signal', 'grace', 'kill', 'confirm', 'done'];
        const seen: Readonly<Record<EngineKind, readonly string[]>> = {
          fairlead: all,
          dockerd: all,
          podman: ['accepted', 'done'],
        };
        // Podman tells of the death when it likes: before its answer, or after.
        const told = kind === 'podman' ? phases.filter((phase) => phase !== 'confirm') : phases;
        assert.deepEqual(told, seen[kind]);
      });

      it('a restart runs it anew', async () => {
        const name = await started(WAITS);
        const { Pid } = (await docker.containers.inspect(name)).State;
        const { changed, late } = await docker.containers.restart(name, { graceMs: 0 });
        assert.deepEqual([changed, late], [true, false]);
        const { State } = await docker.containers.inspect(name);
        assert.ok(State.Running && State.Pid !== Pid);
      });

      it('a kill and a removal are over when they are answered', { skip: !cleansUp && NO_CLEAN_UP }, async () => {
        const name = await started(WAITS);
        await docker.containers.kill(name);
        assert.equal((await docker.containers.inspect(name)).State.ExitCode, 137);
        await docker.containers.remove(name);
        await assert.rejects(docker.containers.inspect(name), { kind: 'not-found' });
      });
    });

    describe('until', { concurrency: AT_ONCE }, () => {
      it('a line of the log', async () => {
        const name = await started(['sh', '-c', 'sleep 0.5; echo "listening on 80"; exec sleep 1000']);
        const { line } = await docker.containers.until(name, { log: /listening on (\d+)/ }, { withinMs: 60_000 });
        assert.equal(line?.text, 'listening on 80');
        assert.ok(line.time instanceof Date);
      });

      it('a line that never comes, because it ended', async () => {
        const name = await started(['sh', '-c', 'echo something else; exit 5']);
        await assert.rejects(docker.containers.until(name, { log: /listening/ }), (error: Error) => {
          assert.ok(error instanceof NotReadyError);
          assert.match(error.message, /^"life-\d+" exited with code 5 before it wrote \/listening\/\.$/);
          return true;
        });
      });

      it('an end', async () => {
        const name = await started(['sh', '-c', 'sleep 0.5; exit 6']);
        const { container } = await docker.containers.until(name, 'exited', { withinMs: 60_000 });
        assert.equal(container?.State.ExitCode, 6);
      });

      it('a start that somebody else makes', async () => {
        await docker.containers.create({ Image: 'busybox', Cmd: WAITS, ...QUIET }, { name: 'waits' });
        const running = docker.containers.until('waits', 'running', { withinMs: 60_000 });
        await sleep(200);
        await docker.containers.start('waits');
        assert.equal((await running).container?.State.Running, true);
      });

      it('health, and says what its last probe said when it does not come', async () => {
        const probe = ['CMD-SHELL', 'test -e /tmp/well || { echo "not yet"; exit 1; }'];
        const Healthcheck = { Test: probe, Interval: 1_000_000_000, Timeout: 30_000_000_000, Retries: 100 };
        const name = await started(WAITS, { Healthcheck });
        // Podman's probes are systemd's, and there is none here: each is asked for.
        if (kind === 'podman') return;
        const missed = await docker.containers
          .until(name, 'healthy', { withinMs: 4_000 })
          .catch((error: unknown) => error);
        assert.ok(missed instanceof NotReadyError, String(missed));
        assert.match(
          missed.message,
          /^"life-\d+" was not healthy within 4\.0 s: it is running and (starting|unhealthy)\./,
        );
        assert.match(missed.message, /Its last probe \(exit code 1\) said: not yet$/);
        const healthy = docker.containers.until(name, 'healthy', { withinMs: 60_000 });
        await docker.containers.exec(name, ['touch', '/tmp/well']);
        assert.equal((await healthy).container?.State.Health?.Status, 'healthy');
      });

      it('health that is never looked at', async () => {
        await assert.rejects(docker.containers.until(await started(WAITS), 'healthy'), /has no health check/);
      });

      it('never hangs when the container is removed first', async () => {
        const name = await started(WAITS);
        const logged = docker.containers.until(name, { log: /never/ });
        const exited = docker.containers.until(name, 'exited');
        logged.catch(() => {});
        await sleep(200);
        await docker.containers.remove(name, { force: true });
        await assert.rejects(logged, /exited with code 137|was removed/);
        await exited;
      });

      it('a port, in the network of the host', { skip: kind === 'podman' && 'its networks are hidden' }, async () => {
        const port = 20_000 + (process.pid % 20_000);
        const serve = `sleep 0.5; echo ok > /tmp/index.html; exec httpd -f -p 127.0.0.1:${port} -h /tmp`;
        const name = await started(['sh', '-c', serve], { HostConfig: { NetworkMode: 'host' } });
        await docker.containers.until(name, { port }, { withinMs: 60_000 });
        assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'ok\n');
      });
    });

    describe('streams', { concurrency: AT_ONCE }, () => {
      it('exec gives input, both outputs and the exit code', async () => {
        const name = await started(WAITS);
        const script = ['sh', '-c', 'cat; echo err >&2; exit 7'];
        const { exitCode, stdout, stderr } = await docker.containers.exec(name, script, { stdin: 'in' });
        assert.deepEqual([exitCode, String(stdout), String(stderr)], [7, 'in', 'err\n']);
      });

      it('20 execs of true: an exit code each, never a guess', async () => {
        const name = await started(WAITS);
        for (let turn = 0; turn < 20; turn += 10) {
          const ends = await Promise.all(
            Array.from({ length: 10 }, (_, at) => docker.containers.exec(name, ['sh', '-c', `exit ${at}`])),
          );
          assert.deepEqual(
            ends.map(({ exitCode }) => exitCode),
            Array.from({ length: 10 }, (_, at) => at),
          );
        }
      });

      it('a session at a terminal has its size and echoes', async () => {
        const name = await started(WAITS);
        await using shell = await docker.containers.spawn(name, ['sh'], { tty: true, size: { rows: 31, columns: 97 } });
        await shell.resize({ rows: 31, columns: 97 });
        await shell.write(Buffer.from('stty size; exit 3\n'));
        let text = '';
        for await (const { bytes } of shell.output()) text += Buffer.from(bytes).toString();
        assert.match(text, /31 97/);
        assert.equal(await shell.exitCode(), 3);
      });

      it('attach reads and writes the first process', async () => {
        const command = ['sh', '-c', 'while read line; do echo "got $line"; [ "$line" = end ] && exit 6; done'];
        const body: CreateBody = { Image: 'busybox', Cmd: command, OpenStdin: true, ...QUIET };
        await docker.containers.create(body, { name: 'attached' });
        await using session = await docker.containers.attach('attached', { stdin: true });
        await docker.containers.start('attached');
        await session.write(Buffer.from('one\nend\n'));
        let text = '';
        for await (const { bytes } of session.output()) text += Buffer.from(bytes).toString();
        assert.equal(text, 'got one\ngot end\n');
        const { container } = await docker.containers.until('attached', 'exited', { withinMs: 60_000 });
        assert.equal(container?.State.ExitCode, 6);
      });

      it('a log has streams, times, long lines whole, and is followed', async () => {
        const script = 'echo out; echo err >&2; head -c 40000 /dev/zero | tr "\\0" x; echo; sleep 0.5; echo last';
        const began = Date.now();
        const name = await started(['sh', '-c', script]);
        if (!cleansUp) await docker.containers.until(name, 'exited', { withinMs: 60_000 });
        const lines = await Array.fromAsync(docker.containers.logs(name, { follow: cleansUp }));
        assert.deepEqual(
          lines.map(({ stream, text }) => `${stream} ${text.length > 100 ? text.length : text}`).toSorted(),
          ['stderr err', 'stdout 40000', 'stdout last', 'stdout out'],
        );
        for (const { time } of lines) assert.ok(time !== undefined && Math.abs(time.getTime() - began) < 120_000);
        assert.deepEqual(
          (await Array.fromAsync(docker.containers.logs(name, { tail: 1 }))).map(({ text }) => text),
          ['last'],
        );
      });
    });

    // Late: Podman goes on with a wait whose client has left, with all of a processor, and for ever where nothing cleans up.
    describe('run', { concurrency: AT_ONCE }, () => {
      it('gives back what was written, and removes the container', async () => {
        const { exitCode, stdout, stderr } = await docker.run(
          'busybox',
          ['sh', '-c', 'echo out; echo err >&2; sleep 0.5; exit 4'],
          {
            name: 'run-1',
            autoRemove: true,
            body: QUIET,
          },
        );
        assert.deepEqual([exitCode, String(stdout), String(stderr)], [4, 'out\n', 'err\n']);
        if (cleansUp) await assert.rejects(docker.containers.inspect('run-1'), { kind: 'not-found' });
      });

      it('gives back what was written in no time', async () => {
        const { exitCode, stdout } = await docker.run('busybox', ['echo', 'hi'], { body: QUIET });
        assert.deepEqual([exitCode, String(stdout)], [0, 'hi\n']);
        const removed = await docker.run('busybox', ['sh', '-c', 'echo hi; exit 5'], { body: QUIET, autoRemove: true });
        assert.deepEqual([removed.exitCode, String(removed.stdout)], [5, 'hi\n']);
      });

      it('gives it its input', async () => {
        const { stdout } = await docker.run('busybox', ['tr', 'a-z', 'A-Z'], { stdin: 'hello', body: QUIET });
        assert.equal(String(stdout), 'HELLO');
      });

      it('leaves nothing of what cannot be started', async () => {
        const asked = docker.run('busybox', ['/no/such/program'], { name: 'run-2', autoRemove: true, body: QUIET });
        await assert.rejects(asked, /no such file or directory|not found/i);
        await docker.containers.until('run-2', 'exited', { withinMs: 30_000 }).catch(() => {});
        await assert.rejects(docker.containers.inspect('run-2'), { kind: 'not-found' });
      });
    });

    describe('an engine that is started again', () => {
      it('events go on when the engine is started again, with a gap', async () => {
        const name = await started(WAITS);
        const leaving = new AbortController();
        const seen: EventFeedItem[] = [];
        const following = (async () => {
          const feed = docker.events({
            reconnect: true,
            signal: leaving.signal,
            filters: new Map([['container', [name]]]),
          });
          for await (const item of feed) {
            seen.push(item);
            if (item.kind === 'event' && item.event.Action === 'start') return;
          }
        })();
        await sleep(300);
        await docker.containers.kill(name, { stopSignal: 'USR1' });
        await engine.restart();
        await docker.containers.restart(name, { graceMs: 0 });
        await following;
        const kinds = seen.map((item) => (item.kind === 'event' ? item.event.Action : 'gap'));
        assert.equal(kinds.filter((word) => word === 'gap').length, 1, kinds.join());
        assert.equal(kinds.at(-1), 'start');
        assert.equal(new Set(seen.map((item) => JSON.stringify(item))).size, seen.length, 'nothing is told twice');
      });
    });
  });
}
