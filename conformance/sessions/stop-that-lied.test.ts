import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { FairleadCli } from '../fairlead-cli.ts';
import { IGNORES_TERM } from '../programs.ts';
import { RawConnection } from '../raw-http.ts';
import { FAIRLEAD_ALONE, sessions } from '../sessions.ts';

const GRACE_MS = 2_000;
/** Within this the container is gone after its grace. */
const KILLED_WITHIN_MS = 500;
const USER_AGENT = 'Seed/1.0';

interface Operation {
  readonly Id: string;
  readonly Verb: string;
  readonly Caller: { readonly UserAgent: string; readonly Pid: number; readonly Uid: number };
  readonly GraceMs: number;
  readonly BoundMs: number;
  readonly Phases: readonly { readonly Phase: string; readonly AtMs: number }[];
  readonly Outcome: {
    readonly Result: string;
    readonly Detail: string;
    readonly ExitCode: number;
    readonly TookMs: number;
  } | null;
  readonly CallerLeftAtMs: number | null;
}

// The story: a grace of 2 s, a client whose patience is the same 2 s, and a process that ignores SIGTERM.
sessions(
  'a stop whose client hangs up',
  (session) => {
    const stopsOf = async (name: string): Promise<readonly Operation[]> =>
      (JSON.parse((await session.ask(`GET /fairlead/operations?container=${name}`)).body) as Operation[]).filter(
        ({ Verb }) => Verb === 'stop',
      );

    for (const patienceMs of [500, GRACE_MS - 50]) {
      it(`after ${patienceMs} ms still ends the container in time, and the departure is on record`, async () => {
        const name = await session.background([], IGNORES_TERM);
        await session.docker.ok('logs', name);
        const ended = session.ask(`POST /containers/${name}/wait`);
        using client = await RawConnection.open(session.engine.socketPath);
        const asked = performance.now();
        await client.request(
          `POST /containers/${name}/stop?t=${GRACE_MS / 1000}`,
          'Content-Length: 0',
          `User-Agent: ${USER_AGENT}`,
        );
        await sleep(patienceMs - (performance.now() - asked));
        client[Symbol.dispose]();
        assert.match((await ended).body, /"StatusCode":137/);
        const tookMs = performance.now() - asked;
        assert.ok(tookMs >= GRACE_MS && tookMs < GRACE_MS + KILLED_WITHIN_MS, `ended after ${tookMs} ms`);
        assert.equal(await session.inspect(name, '{{.State.Status}} {{.State.ExitCode}}'), 'exited 137');

        const [found] = await stopsOf(name);
        assert.ok(found !== undefined);
        const done = JSON.parse((await session.ask(`GET /fairlead/operations/${found.Id}/wait`)).body) as Operation;
        const { Caller, GraceMs, BoundMs, Phases, Outcome, CallerLeftAtMs } = done;
        assert.deepEqual([Caller.UserAgent, Caller.Pid, Caller.Uid], [USER_AGENT, process.pid, process.getuid?.()]);
        assert.ok(GraceMs === GRACE_MS && BoundMs > GRACE_MS);
        assert.deepEqual(
          Phases.map(({ Phase }) => Phase),
          ['accepted', 'signal', 'grace', 'kill', 'confirm', 'done'],
        );
        assert.deepEqual([Outcome?.Result, Outcome?.Detail, Outcome?.ExitCode], ['succeeded', 'killed', 137]);
        assert.ok(
          CallerLeftAtMs !== null && Math.abs(CallerLeftAtMs - patienceMs) < 250,
          `left at ${CallerLeftAtMs} ms`,
        );
        const killedAtMs = Phases.find(({ Phase }) => Phase === 'kill')?.AtMs ?? 0;
        assert.ok(killedAtMs >= GRACE_MS - 5 && killedAtMs < GRACE_MS + 250, `killed at ${killedAtMs} ms`);
      });
    }

    it('fairlead operations tells it in a line, to whoever follows, and when the container is gone', async () => {
      const cli = new FairleadCli(`unix://${session.engine.socketPath}`);
      const name = session.name();
      await using following = cli.start(['operations', '--follow', name]);
      await session.docker.ok('run', '-d', '--rm', '--name', name, 'busybox', ...IGNORES_TERM);
      await following.says(/^start session-\d+ /m);
      const ended = session.ask(`POST /containers/${name}/wait?condition=removed`);
      using client = await RawConnection.open(session.engine.socketPath);
      await client.request(`POST /containers/${name}/stop?t=1`, 'Content-Length: 0', `User-Agent: ${USER_AGENT}`);
      await sleep(500);
      client[Symbol.dispose]();
      await following.says(/ {2}grace 1\.0 s {2}caller hung up at 0\.\d s {2}running \(grace\)/);
      await ended;
      const story = `stop ${name} +asked by ${USER_AGENT} +grace 1\\.0 s {2}caller hung up at 0\\.\\d s {2}killed at 1\\.\\d s {2}exit 137`;
      await following.says(new RegExp(`^${story}`, 'm'));
      assert.match((await cli.run(['operations', name])).stdout, new RegExp(`^${story}`, 'm'));
      const [last] = (await cli.run(['operations', '--json', '-n', '1', name])).stdout.split('\n');
      assert.ok(last !== undefined && typeof (JSON.parse(last) as Operation).CallerLeftAtMs === 'number');
      const nobody = await cli.run(['operations', 'never-was']);
      assert.deepEqual(
        [nobody.exitCode, nobody.stderr],
        [1, 'Error response from daemon: No such container: never-was\n'],
      );
    });

    it('the docker client that stays has nothing on record but its stop', async () => {
      const name = await session.background([], IGNORES_TERM);
      await session.docker.ok('stop', '-t', '1', name);
      const [found, ...others] = await stopsOf(name);
      assert.deepEqual(
        [found?.CallerLeftAtMs, found?.GraceMs, found?.Outcome?.Detail, others.length],
        [null, 1_000, 'killed', 0],
      );
    });

    it('the docker client that is killed is on record, too', async () => {
      const name = await session.background([], IGNORES_TERM);
      await using client = session.docker.start(['stop', '-t', '2', name]);
      while ((await stopsOf(name)).length === 0) await sleep(50);
      client.signal('SIGKILL');
      await session.ask(`POST /containers/${name}/wait`);
      const [found] = await stopsOf(name);
      assert.ok(found !== undefined && found.CallerLeftAtMs !== null && found.CallerLeftAtMs < GRACE_MS);
    });

    it('the answer that arrives says how it ended', async () => {
      const name = await session.background([], IGNORES_TERM);
      const { status, headers } = await session.ask(`POST /containers/${name}/stop?t=1`);
      assert.equal(status, 204);
      assert.match(String(headers['fairlead-outcome']), /^killed; exit-code=137; took-ms=1\d\d\d$/);
      assert.match(String(headers['fairlead-operation']), /^[0-9a-f]+$/);
      const again = await session.ask(`POST /containers/${name}/stop?t=1`);
      assert.equal(again.status, 304);
      assert.match(String(again.headers['fairlead-outcome']), /^already-stopped; exit-code=137; took-ms=\d+$/);
    });

    it('a budget that the grace cannot fit into is warned of', async () => {
      const name = await session.background([], IGNORES_TERM);
      const { status, headers } = await session.ask(`POST /containers/${name}/stop?t=1`, {
        headers: { 'Fairlead-Budget': '800' },
      });
      assert.equal(status, 204);
      assert.match(String(headers['fairlead-warning']), /\S/);
    });
  },
  { kinds: FAIRLEAD_ALONE },
);
