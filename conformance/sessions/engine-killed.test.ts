import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ECHOES_LINES, endsOn, IGNORES_TERM } from '../programs.ts';
import { RawConnection } from '../raw-http.ts';
import { FAIRLEAD_ALONE, sessions } from '../sessions.ts';

const TICKS = ['sh', '-c', 'i=0; while :; do i=$((i+1)); echo "tick $i"; sleep 0.05; done'];

sessions(
  'an engine that is killed',
  (session) => {
    const untilGone = async (pid: string): Promise<void> => {
      while (existsSync(`/proc/${pid}`)) await sleep(20);
    };
    const pidOf = async (name: string): Promise<string> => await session.inspect(name, '{{.State.Pid}}');

    it('finds nine of ten containers running, with logs, attach and exec, and the code of the tenth', async () => {
      const shared = join(session.engine.directory, 'shared');
      mkdirSync(shared);
      const ticking = await Promise.all([1, 2, 3, 4, 5, 6, 7].map(() => session.background([], TICKS)));
      const reading = await session.background(['-i'], ECHOES_LINES);
      const terminal = await session.background(['-it'], ECHOES_LINES);
      const tenth = await session.background(
        ['-v', `${shared}:/shared`],
        ['sh', '-c', 'until [ -e /shared/go ]; do sleep 0.02; done; echo last words; exit 42'],
      );
      const nine = [...ticking, reading, terminal];
      const pids = await Promise.all(nine.map(pidOf));
      const tenthPid = await pidOf(tenth);
      const exec = session.docker.start(['exec', ticking[0] ?? '', 'sh', '-c', 'echo in the middle; sleep 1000']);
      await exec.says(/in the middle/);

      await session.engine.kill();
      assert.notEqual((await exec.result()).exitCode, 0);
      writeFileSync(join(shared, 'go'), '');
      await untilGone(tenthPid);
      await session.engine.restart();

      assert.deepEqual(await Promise.all(nine.map(pidOf)), pids);
      assert.deepEqual(
        new Set(await Promise.all(nine.map((name) => session.inspect(name, '{{.State.Status}}')))),
        new Set(['running']),
      );
      assert.equal(await session.inspect(tenth, '{{.State.Status}} {{.State.ExitCode}}'), 'exited 42');
      assert.equal(await session.docker.ok('wait', tenth), '42');
      assert.equal(await session.docker.ok('logs', tenth), 'last words');
      for (const name of ticking) await ticksOn(name);
      for (const [name, client] of [
        [reading, session.docker.start(['attach', reading])],
        [terminal, session.docker.atTerminal(['attach', terminal])],
      ] as const) {
        await using attached = client;
        await session.docker.ok('exec', name, 'true');
        await sleep(300);
        attached.write('still there\r\n');
        await attached.says(/got still there/);
      }
      await stopsWell(ticking[0] ?? '');
    });

    /** Nothing that was printed while nobody listened is missing. */
    async function ticksOn(name: string): Promise<void> {
      let lines: readonly string[] = [];
      while (lines.length <= 10) lines = (await session.docker.ok('logs', name)).split('\n');
      assert.deepEqual(
        lines,
        lines.map((_, index) => `tick ${index + 1}`),
      );
      await using logs = session.docker.start(['logs', '-f', '--tail', '1', name]);
      const [, first] = await logs.says(/^tick (\d+)\n/);
      await logs.says(new RegExp(`tick ${Number(first) + 3}\n`));
      await using attached = session.docker.start(['attach', '--no-stdin', '--sig-proxy=false', name]);
      await attached.says(/tick \d+\ntick \d+\n/);
    }

    async function stopsWell(name: string): Promise<void> {
      const pid = await pidOf(name);
      await session.docker.ok('stop', '-t', '0', name);
      await untilGone(pid);
      assert.equal(await session.inspect(name, '{{.State.Status}} {{.State.ExitCode}}'), 'exited 137');
    }

    it('goes on with a stop that was under way, and says in its ledger that the request was cut off', async () => {
      const name = await session.background([], IGNORES_TERM);
      using client = await RawConnection.open(session.engine.socketPath);
      const asked = performance.now();
      await client.request(`POST /containers/${name}/stop?t=3`, 'Content-Length: 0');
      await sleep(300);
      await session.engine.kill();
      await session.engine.restart();
      const { body } = await session.ask(`POST /containers/${name}/wait`);
      const tookMs = performance.now() - asked;
      assert.match(body, /"StatusCode":137/);
      assert.ok(tookMs >= 2_950 && tookMs < 10_000, `ended after ${tookMs} ms`);
      const operations = JSON.parse((await session.ask(`GET /fairlead/operations?container=${name}`)).body) as {
        Verb: string;
        Outcome: { Result: string };
      }[];
      assert.equal(operations.find(({ Verb }) => Verb === 'stop')?.Outcome.Result, 'interrupted');
    });

    it('starts again what has ended meanwhile and is to run always, and removes what is to remove itself', async () => {
      const [always, gone] = [
        await session.background(['--restart', 'always'], endsOn('TERM', 1)),
        await session.background(['--rm'], endsOn('TERM', 0)),
      ];
      const pids = await Promise.all([always, gone].map(pidOf));
      await session.engine.kill();
      for (const pid of pids) {
        process.kill(Number(pid), 'SIGKILL');
        await untilGone(pid);
      }
      await session.engine.restart();
      for (let tries = 0; (await session.inspect(always, '{{.State.Status}}')) !== 'running' && tries < 50; tries += 1)
        await sleep(100);
      assert.equal(await session.inspect(always, '{{.State.Status}}'), 'running');
      assert.notEqual(await pidOf(always), pids[0]);
      for (
        let tries = 0;
        (await session.docker.ok('ps', '-aq', '--filter', `name=${gone}`)) !== '' && tries < 50;
        tries += 1
      )
        await sleep(100);
      assert.equal(await session.docker.ok('ps', '-aq', '--filter', `name=${gone}`), '');
    });

    it('goes on with a container that printed to attached clients in the very moment', async () => {
      const name = await session.background(['-i'], ['sh', '-c', 'while :; do echo on; done']);
      const pid = await pidOf(name);
      for (let round = 0; round < 3; round += 1) {
        const clients: RawConnection[] = [];
        for (let count = 0; count < 3; count += 1) {
          const client = await RawConnection.open(session.engine.socketPath);
          clients.push(client);
          await client.request(`POST /containers/${name}/attach?stream=1&stdout=1&stdin=1`, 'Content-Length: 0');
          await client.head();
        }
        await session.engine.kill();
        for (const client of clients) client[Symbol.dispose]();
        await session.engine.restart();
        assert.equal(await session.inspect(name, '{{.State.Status}}'), 'running');
        assert.equal(await pidOf(name), pid);
      }
      await session.docker.ok('kill', name);
      assert.equal(await session.docker.ok('wait', name), '137');
    });

    it('tells the end of what ended meanwhile as an event, and its exec as unknown', async () => {
      const name = await session.background([], ['sleep', '1000']);
      const { body } = await session.ask(`POST /containers/${name}/exec`, { json: { Cmd: ['sleep', '1000'] } });
      const { Id } = JSON.parse(body) as { Id: string };
      await session.ask(`POST /exec/${Id}/start`, { json: { Detach: true } });
      const pid = await pidOf(name);
      await session.engine.kill();
      process.kill(Number(pid), 'SIGKILL');
      await untilGone(pid);
      await session.engine.restart();
      const until = String(Math.ceil(Date.now() / 1000) + 1);
      const events = await session.docker.ok(
        'events',
        '--since',
        '60s',
        '--until',
        until,
        '--filter',
        `container=${name}`,
        '--format',
        '{{.Action}} {{.Actor.Attributes.exitCode}}',
      );
      assert.match(events, /die 137$/);
      assert.equal((await session.ask(`GET /exec/${Id}/json`)).status, 404);
    });

    it('leaves containers running when it is only asked to end', async () => {
      const name = await session.background([], TICKS);
      const pid = await pidOf(name);
      await session.engine.restart();
      assert.equal(await pidOf(name), pid);
      await ticksOn(name);
    });
  },
  { kinds: FAIRLEAD_ALONE, atOnce: 1 },
);
