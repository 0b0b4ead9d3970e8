import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../eventually.ts';
import { endsOn, IGNORES_TERM } from '../programs.ts';
import { RawConnection } from '../raw-http.ts';
import { busyboxImage, dockerArchive } from '@fairlead/testkit';
import { sessions, type Session } from '../sessions.ts';

/** A signal that comes before the trap is set would do something else. */
async function ready(session: Session, options: readonly string[], command: readonly string[]): Promise<string> {
  const name = await session.background(options, command);
  await using logs = session.docker.start(['logs', '-f', name]);
  await logs.says(/ready/);
  return name;
}

/** The actions of one container so far, with the signal of a kill and the code of a die. */
async function eventsOf(session: Session, name: string): Promise<string> {
  const until = String(Math.ceil(Date.now() / 1000) + 1);
  const format =
    '{{.Action}}{{with .Actor.Attributes.signal}}:{{.}}{{end}}{{with .Actor.Attributes.exitCode}}:{{.}}{{end}}';
  const events = await session.docker.ok(
    'events',
    '--since',
    '100s',
    '--until',
    until,
    '--filter',
    `container=${name}`,
    '--format',
    format,
  );
  return events
    .split('\n')
    .filter((line) => line !== '' && !/^(create|start|attach|exec_create.*|exec_start.*)$/.test(line))
    .join(' ');
}

const STOPS: readonly {
  readonly fact: string;
  readonly options?: readonly string[];
  readonly command: readonly string[];
  readonly args?: readonly string[];
  readonly exitCode: string;
  readonly atLeastMs?: number;
  readonly atMostMs: number;
  readonly events: string;
}[] = [
  {
    fact: 'a container that exits on SIGTERM is not killed',
    command: endsOn('TERM', 7),
    exitCode: '7',
    atMostMs: 1_500,
    events: 'kill:15 die:7 stop',
  },
  {
    fact: 'one that ignores it is killed when -t is over',
    command: IGNORES_TERM,
    args: ['-t', '1'],
    exitCode: '137',
    atLeastMs: 1_000,
    atMostMs: 2_500,
    events: 'kill:15 kill:9 die:137 stop',
  },
  {
    fact: '-t 0 kills at once',
    command: IGNORES_TERM,
    args: ['-t', '0'],
    exitCode: '137',
    atMostMs: 1_500,
    events: 'kill:15 kill:9 die:137 stop',
  },
  {
    fact: '--stop-signal is what is sent',
    options: ['--stop-signal', 'INT'],
    command: endsOn('INT', 5),
    exitCode: '5',
    atMostMs: 1_500,
    events: 'kill:2 die:5 stop',
  },
  {
    fact: 'STOPSIGNAL of the image is what is sent',
    options: [],
    command: [],
    exitCode: '6',
    atMostMs: 1_500,
    events: 'kill:10 die:6 stop',
  },
  {
    fact: '--stop-timeout is the grace without -t',
    options: ['--stop-timeout', '1'],
    command: IGNORES_TERM,
    exitCode: '137',
    atLeastMs: 1_000,
    atMostMs: 2_500,
    events: 'kill:15 kill:9 die:137 stop',
  },
];

sessions('docker stop', (session) => {
  for (const { fact, options = [], command, args = [], exitCode, atLeastMs = 0, atMostMs, events } of STOPS) {
    it(fact, async () => {
      const name = command.length > 0 ? await ready(session, options, command) : await withImageSignal();
      const { exitCode: code, stdout, stderr, tookMs } = await session.docker.run(['stop', ...args, name]);
      assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: `${name}\n`, stderr: '' });
      assert.ok(tookMs >= atLeastMs && tookMs <= atMostMs, `took ${tookMs} ms`);
      assert.equal(await session.inspect(name, '{{.State.Status}} {{.State.ExitCode}}'), `exited ${exitCode}`);
      assert.equal(await eventsOf(session, name), events);
    });
  }

  async function withImageSignal(): Promise<string> {
    const image = `${session.name()}:latest`;
    const archive = await imageWithStopSignal();
    const loaded = await session.docker.run(['load'], archive);
    assert.equal(loaded.exitCode, 0, loaded.stderr);
    await session.docker.ok('tag', 'with-signal:latest', image);
    const name = session.name();
    await session.docker.ok('run', '-d', '--name', name, image, ...endsOn('USR1', 6));
    await using logs = session.docker.start(['logs', '-f', name]);
    await logs.says(/ready/);
    return name;
  }

  it('of one that has stopped is good, and changes nothing', async () => {
    const name = session.name();
    await session.docker.run(['run', '--name', name, 'busybox', 'sh', '-c', 'exit 3']);
    const { exitCode, stdout, stderr } = await session.docker.run(['stop', name]);
    assert.deepEqual([exitCode, stdout, stderr], [0, `${name}\n`, '']);
    const { status, body } = await session.ask(`POST /containers/${name}/stop`);
    assert.deepEqual([status, body], [304, '']);
    assert.equal(await session.inspect(name, '{{.State.ExitCode}}'), '3');
  });

  it('stops several at the same time', async () => {
    const names = await Promise.all([1, 2, 3].map(() => ready(session, [], IGNORES_TERM)));
    const { exitCode, stdout, tookMs } = await session.docker.run(['stop', '-t', '3', ...names]);
    assert.deepEqual([exitCode, stdout.trim().split('\n').toSorted()], [0, names.toSorted()]);
    // One after the other they would take nine.
    assert.ok(tookMs < 7_000, `took ${tookMs} ms`);
  });

  it('with a negative grace waits without end', async () => {
    const name = await ready(session, [], IGNORES_TERM);
    const stopped = session.ask(`POST /containers/${name}/stop?t=-1`);
    assert.equal(await Promise.race([stopped, sleep(1_500, 'waiting')]), 'waiting');
    assert.equal(await session.inspect(name, '{{.State.Status}}'), 'running');
    await session.docker.ok('kill', name);
    assert.equal((await stopped).status, 204);
  });

  it('goes on to its end when the client has hung up', async () => {
    const name = await ready(session, [], IGNORES_TERM);
    const started = performance.now();
    const waited = session.ask(`POST /containers/${name}/wait`);
    using client = await RawConnection.open(session.engine.socketPath);
    await client.request(`POST /containers/${name}/stop?t=2`, 'Content-Length: 0');
    await sleep(500);
    client[Symbol.dispose]();
    assert.match((await waited).body, /"StatusCode":137/);
    const tookMs = performance.now() - started;
    // Without the client's word the grace is 10 s.
    assert.ok(tookMs > 1_950 && tookMs < 8_000, `took ${tookMs} ms`);
  });

  it('a restart goes on to its end, too', async () => {
    const name = await ready(session, [], IGNORES_TERM);
    const pid = await session.inspect(name, '{{.State.Pid}}');
    using client = await RawConnection.open(session.engine.socketPath);
    await client.request(`POST /containers/${name}/restart?t=1`, 'Content-Length: 0');
    await sleep(300);
    client[Symbol.dispose]();
    await session.ask(`POST /containers/${name}/wait?condition=next-exit`);
    const restarted = async (): Promise<boolean> => /^(?!0$)\d+$/.test(await session.inspect(name, '{{.State.Pid}}'));
    for (let tries = 0; !(await restarted()) && tries < 50; tries += 1) await sleep(100);
    assert.notEqual(await session.inspect(name, '{{.State.Pid}}'), pid);
    assert.equal(await session.inspect(name, '{{.State.Status}}'), 'running');
  });

  it('answers a client that has only half-closed', async () => {
    const name = await ready(session, [], endsOn('TERM', 0));
    using client = await RawConnection.open(session.engine.socketPath);
    await client.request(`POST /containers/${name}/stop`, 'Content-Length: 0');
    client.halfClose();
    assert.equal((await client.head()).status, 204);
  });

  it('of two at the same time, the shorter grace wins, and both are answered', async () => {
    const name = await ready(session, [], IGNORES_TERM);
    const started = performance.now();
    const long = session.ask(`POST /containers/${name}/stop?t=20`);
    await sleep(300);
    const short = session.ask(`POST /containers/${name}/stop?t=1`);
    assert.deepEqual([(await long).status, (await short).status], [204, 204]);
    assert.ok(performance.now() - started < 15_000);
  });

  it('of a paused container thaws it, so that it can end by itself', async () => {
    const name = await ready(session, [], endsOn('TERM', 7));
    await session.docker.ok('pause', name);
    await session.docker.ok('stop', name);
    assert.equal(
      await session.inspect(name, '{{.State.Status}} {{.State.ExitCode}} {{.State.Paused}}'),
      'exited 7 false',
    );
    assert.equal(await eventsOf(session, name), 'pause kill:15 unpause die:7 stop');
  });

  it('of one between two starts is immediate', async () => {
    const name = await session.background(['--restart', 'always'], ['sh', '-c', 'sleep 0.1; exit 3']);
    await session.ask(`POST /containers/${name}/wait`);
    for (let tries = 0; (await session.inspect(name, '{{.RestartCount}}')) < '3' && tries < 50; tries++)
      await sleep(100);
    const { exitCode, tookMs } = await session.docker.run(['stop', name]);
    assert.equal(exitCode, 0);
    assert.ok(tookMs < 8_000, `took ${tookMs} ms`);
    assert.equal(await session.inspect(name, '{{.State.Status}}'), 'exited');
  });

  it('leaves inspect, exec and a second start as they were while it waits', async () => {
    const name = await ready(session, [], IGNORES_TERM);
    const stopped = session.ask(`POST /containers/${name}/stop?t=2`);
    assert.equal(await session.inspect(name, '{{.State.Status}}'), 'running');
    assert.equal(await session.docker.ok('exec', name, 'echo', 'still here'), 'still here');
    assert.equal((await session.ask(`POST /containers/${name}/start`)).status, 304);
    assert.equal((await stopped).status, 204);
  });

  it('waits on without end when its client is gone', async () => {
    const name = await ready(session, [], IGNORES_TERM);
    using client = await RawConnection.open(session.engine.socketPath);
    await client.request(`POST /containers/${name}/stop?t=-1`, 'Content-Length: 0');
    await eventually(() => eventsOf(session, name), 'kill:15');
    client[Symbol.dispose]();
    await sleep(300);
    assert.equal(await session.inspect(name, '{{.State.Status}}'), 'running');
    await session.docker.ok('kill', name);
    await eventually(() => eventsOf(session, name), 'kill:15 kill:9 die:137 stop');
  });

  const DURING: readonly {
    readonly what: string;
    readonly target: string;
    readonly grace?: number;
    readonly events: string;
    readonly left: string;
  }[] = [
    {
      ...{ what: 'another stop ends it, and both are told', target: 'POST /containers/REF/stop?t=0' },
      ...{ events: 'kill:15 kill:15 kill:9 die:137 stop stop', left: 'exited' },
    },
    {
      ...{ what: 'a kill ends it', target: 'POST /containers/REF/kill' },
      ...{ events: 'kill:15 kill:9 die:137 stop', left: 'exited' },
    },
    {
      ...{ what: 'a forced removal ends it', target: 'DELETE /containers/REF?force=1' },
      ...{ events: 'kill:15 kill:9 die:137 stop destroy', left: '' },
    },
    {
      ...{ what: 'a restart ends with a run', target: 'POST /containers/REF/restart?t=0' },
      ...{ events: 'kill:15 kill:15 kill:9 die:137 stop stop restart', left: 'running' },
    },
    {
      ...{ what: 'a pause holds it, and SIGKILL thaws', target: 'POST /containers/REF/pause', grace: 2 },
      ...{ events: 'kill:15 pause kill:9 die:137 stop', left: 'exited' },
    },
  ];
  for (const { what, target, grace = 30, events, left } of DURING) {
    it(`meanwhile ${what}`, async () => {
      const name = await ready(session, [], IGNORES_TERM);
      const id = await session.inspect(name, '{{.Id}}');
      const stopped = session.ask(`POST /containers/${id}/stop?t=${grace}`);
      await eventually(async () => (await eventsOf(session, id)) !== '', true);
      assert.equal((await session.ask(target.replace('REF', id))).status, 204);
      assert.equal((await stopped).status, 204);
      await eventually(() => eventsOf(session, id), events);
      const { stdout } = await session.docker.run(['inspect', '-f', '{{.State.Status}}', id]);
      assert.equal(stdout.trim(), left);
    });
  }

  it('tells signal, end, network and stop, in this order', async () => {
    const name = await ready(session, ['--network', 'none'], endsOn('TERM', 7));
    const id = await session.inspect(name, '{{.Id}}');
    await session.docker.ok('stop', name);
    const { body } = await session.ask(`GET /events?since=1&until=${Math.ceil(Date.now() / 1000) + 1}`);
    const about = body
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as EventDocument)
      .filter(({ Actor }) => Actor.ID === id || Actor.Attributes['container'] === id);
    const actions = about.slice(about.findIndex(({ Action }) => Action === 'kill')).map(({ Action }) => Action);
    assert.deepEqual(actions, ['kill', 'die', 'disconnect', 'stop']);
    const { Attributes } = about.find(({ Action }) => Action === 'die')?.Actor ?? assert.fail();
    assert.equal(Attributes['exitCode'], '7');
    if (session.kind === 'fairlead') assert.match(Attributes['execDuration'] ?? '', /^\d+$/);
    // Only what happens to containers has these.
    const connected = about.find(({ Type }) => Type === 'network') ?? assert.fail();
    assert.deepEqual([connected.status, connected.id, connected.from], [undefined, undefined, undefined]);
  });

  it('reaches the first process and no exec, which ends with it', async () => {
    const name = await ready(
      session,
      [],
      ['sh', '-c', 'trap "sleep 0.3; exit 7" TERM; echo ready; while :; do sleep 0.05; done'],
    );
    const json = { Cmd: ['sh', '-c', 'trap "echo got > /got" TERM; touch /set; while :; do sleep 0.05; done'] };
    const { Id } = JSON.parse((await session.ask(`POST /containers/${name}/exec`, { json })).body) as { Id: string };
    await session.ask(`POST /exec/${Id}/start`, { json: { Detach: true } });
    const set = async (): Promise<number> => (await session.ask(`HEAD /containers/${name}/archive?path=/set`)).status;
    await eventually(set, 200);
    await session.docker.ok('stop', name);
    assert.equal((await session.ask(`HEAD /containers/${name}/archive?path=/got`)).status, 404);
    const inspected = async (): Promise<string> => (await session.ask(`GET /exec/${Id}/json`)).body;
    await eventually(async () => (await inspected()).includes('"Running":false,"ExitCode":137'), true);
    assert.match(await eventsOf(session, name), /exec_die:137 (?:\S+ )*die:7 stop$/);
  });

  it('says which container does not exist', async () => {
    const { exitCode, stdout, stderr } = await session.docker.run(['stop', 'nosuch']);
    assert.deepEqual([exitCode, stdout, stderr], [1, '', 'Error response from daemon: No such container: nosuch\n']);
  });
});

interface EventDocument {
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  readonly status?: string;
  readonly id?: string;
  readonly from?: string;
}

sessions('docker kill', (session) => {
  it('of a paused container ends it, without a word of thawing', async () => {
    const name = await session.background();
    await session.docker.ok('pause', name);
    await session.docker.ok('kill', name);
    assert.equal(await eventsOf(session, name), 'pause kill:9 die:137');
  });

  it('with another signal than the stop signal leaves a paused container paused', async () => {
    const name = await session.background(['--stop-signal', 'INT']);
    await session.docker.ok('pause', name);
    await session.docker.ok('kill', '-s', 'HUP', name);
    assert.equal(await session.inspect(name, '{{.State.Status}}'), 'paused');
    assert.equal(await eventsOf(session, name), 'pause kill:1');
  });

  it('with what a first process has no handler for changes nothing', async () => {
    const name = await session.background();
    assert.equal((await session.ask(`POST /containers/${name}/kill?signal=TERM`)).status, 204);
    await sleep(200);
    assert.equal(await session.inspect(name, '{{.State.Status}}'), 'running');
  });

  it('comes before the end of what is removed by force, or removes itself', async () => {
    for (const { options, verb } of [
      { options: [], verb: ['rm', '-f'] },
      { options: ['--rm'], verb: ['kill'] },
    ]) {
      const name = await session.background(options);
      const id = await session.inspect(name, '{{.Id}}');
      await session.docker.ok(...verb, name);
      await eventually(() => eventsOf(session, id), 'kill:9 die:137 destroy');
    }
  });
});

async function imageWithStopSignal(): Promise<Uint8Array> {
  const image = await busyboxImage(['with-signal:latest']);
  return await dockerArchive([{ ...image, config: { ...image.config, StopSignal: 'SIGUSR1' } }]);
}
