import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eventually } from '../eventually.ts';
import { FAIRLEAD_ALONE, sessions, type Session } from '../sessions.ts';

interface Probe {
  readonly Start: string;
  readonly End: string;
  readonly ExitCode: number;
  readonly Output: string;
}

interface Health {
  readonly Status: string;
  readonly FailingStreak: number;
  readonly Log: readonly Probe[];
}

/** Often, so that the tests are short. */
const OFTEN = ['--health-interval', '100ms', '--health-retries', '2'] as const;

async function healthOf(session: Session, name: string): Promise<Health> {
  return JSON.parse(await session.inspect(name, '{{json .State.Health}}')) as Health;
}

function status(session: Session, name: string): () => Promise<string> {
  return async () => (await healthOf(session, name)).Status;
}

/** Runs with a check that succeeds while there is a file /well. */
async function checked(session: Session, options: readonly string[] = []): Promise<string> {
  const check = ['--health-cmd', 'echo looking; cat /well 2>&1', ...OFTEN, ...options];
  return await session.background(check, ['sh', '-c', 'touch /well; exec sleep 1000']);
}

async function eventsOf(session: Session, name: string, ...filters: readonly string[]): Promise<readonly string[]> {
  const until = String(Math.ceil(Date.now() / 1000) + 1);
  // By its id: a name would also match those that begin with it.
  const id = await session.inspect(name, '{{.Id}}');
  const past = ['events', '--since', '100s', '--until', until, '--filter', `container=${id}`];
  const text = await session.docker.ok(
    ...past,
    ...filters.flatMap((filter) => ['--filter', filter]),
    '--format',
    '{{.Action}}',
  );
  return text.split('\n').filter((line) => line !== '');
}

sessions('a health check', (session) => {
  it('makes a container healthy, unhealthy and healthy again, and tells it', async () => {
    const name = await checked(session);
    await eventually(status(session, name), 'healthy');
    await session.docker.ok('exec', name, 'rm', '/well');
    await eventually(status(session, name), 'unhealthy');
    const { FailingStreak: streak, Log: log } = await healthOf(session, name);
    assert.ok(streak >= 2);
    assert.equal(log.at(-1)?.ExitCode, 1);
    assert.match(log.at(-1)?.Output ?? '', /^looking\ncat: can't open '\/well': No such file or directory\n$/);
    await session.docker.ok('exec', name, 'touch', '/well');
    await eventually(status(session, name), 'healthy');
    assert.equal((await healthOf(session, name)).FailingStreak, 0);
    assert.deepEqual(await eventsOf(session, name, 'event=health_status'), [
      'health_status: healthy',
      'health_status: unhealthy',
      'health_status: healthy',
    ]);
  });

  it('runs as execs that everybody can see', async () => {
    const name = await checked(session);
    await eventually(status(session, name), 'healthy');
    const actions = await eventsOf(session, name);
    const command = '/bin/sh -c echo looking; cat /well 2>&1';
    const first = actions.indexOf(`exec_create: ${command}`);
    assert.deepEqual(actions.slice(first, first + 4), [
      `exec_create: ${command}`,
      `exec_start: ${command}`,
      'exec_die',
      'health_status: healthy',
    ]);
  });

  it('shows in ps, and can be asked for', async () => {
    const [well, ill, none] = [
      await checked(session),
      await session.background(['--health-cmd', 'false', ...OFTEN]),
      await session.background(),
    ];
    const young = await session.background(['--health-cmd', 'true', '--health-interval', '1h']);
    await eventually(status(session, well), 'healthy');
    await eventually(status(session, ill), 'unhealthy');
    const filtered = async (health: string): Promise<readonly string[]> => {
      const names = [well, ill, none, young].flatMap((name) => ['--filter', `name=^/${name}$`]);
      const rows = await session.docker.ok(
        'ps',
        ...names,
        '--filter',
        `health=${health}`,
        '--format',
        '{{.Names}} {{.Status}}',
      );
      return rows.split('\n').map((row) => row.replace(/Up .*?(?= \(|$)/, 'Up'));
    };
    assert.deepEqual(await filtered('healthy'), [`${well} Up (healthy)`]);
    assert.deepEqual(await filtered('unhealthy'), [`${ill} Up (unhealthy)`]);
    assert.deepEqual(await filtered('starting'), [`${young} Up (health: starting)`]);
    assert.deepEqual(await filtered('none'), [`${none} Up`]);
  });

  it('remembers five probes and four kilobytes of each', async () => {
    const name = await session.background(['--health-cmd', 'yes | head -c 9000', ...OFTEN]);
    await eventually(async () => (await healthOf(session, name)).Log.length, 5);
    const [probe] = (await healthOf(session, name)).Log;
    assert.equal(probe?.Output, `${'y\n'.repeat(2048)}...`);
    assert.ok(Date.parse(probe.End) > Date.parse(probe.Start));
  });

  it('fails what takes too long, and ends it', async () => {
    const name = await session.background([
      ...['--health-cmd', 'echo begun; exec sleep 1234', '--health-timeout', '300ms', ...OFTEN],
    ]);
    await eventually(status(session, name), 'unhealthy');
    const [probe] = (await healthOf(session, name)).Log;
    const late = 'Health check exceeded timeout (300ms)';
    const words = session.differs({ fairlead: `${late}: begun\n`, dockerd: late });
    assert.deepEqual([probe?.ExitCode, probe?.Output], [-1, words]);
    await session.docker.ok('pause', name);
    const processes = await session.docker.ok('top', name, '-o', 'pid,args');
    // One that has just begun; dockerd does not wait for the end of the one before.
    const most = session.differs({ fairlead: 1, dockerd: 2 });
    assert.ok(processes.split('\n').filter((line) => line.includes('sleep 1234')).length <= most, processes);
    await session.docker.ok('unpause', name);
  });

  it('fails what cannot be run, with the reason', async () => {
    const json = {
      Image: 'busybox',
      Cmd: ['sleep', '1000'],
      Healthcheck: { Test: ['CMD', '/nosuch'], Interval: 1e8, Retries: 1 },
    };
    const name = session.name();
    assert.equal((await session.ask(`POST /v1.41/containers/create?name=${name}`, { json })).status, 201);
    await session.docker.ok('start', name);
    await eventually(status(session, name), 'unhealthy');
    const [probe] = (await healthOf(session, name)).Log;
    assert.equal(probe?.ExitCode, -1);
    assert.match(probe.Output, /^OCI runtime exec failed: exec failed: .*"\/nosuch".*no such file or directory/);
  });

  it('does not count failures of the start period', async () => {
    const often = { Interval: 1e8, StartInterval: 1e8, StartPeriod: 3.6e12, Retries: 1 };
    const json = { Image: 'busybox', Cmd: ['sleep', '1000'], Healthcheck: { Test: ['CMD', 'false'], ...often } };
    const name = session.name();
    await session.ask(`POST /containers/create?name=${name}`, { json });
    await session.docker.ok('start', name);
    const probed = async (): Promise<boolean> => (await healthOf(session, name)).Log.length >= 3;
    await eventually(probed, true);
    const { Status, FailingStreak } = await healthOf(session, name);
    assert.deepEqual([Status, FailingStreak], ['starting', 0]);
  });

  it('is unhealthy while it is paused or ended, begins anew at the next start, and keeps its log', async () => {
    const name = await checked(session);
    await eventually(status(session, name), 'healthy');
    await session.docker.ok('pause', name);
    assert.equal(await status(session, name)(), 'unhealthy');
    await session.docker.ok('unpause', name);
    await eventually(status(session, name), 'healthy');
    await session.docker.ok('stop', '-t', '0', name);
    const ended = await healthOf(session, name);
    assert.equal(ended.Status, 'unhealthy');
    await session.docker.ok('start', name);
    const [again] = (await healthOf(session, name)).Log;
    assert.ok(ended.Log.some(({ Start }) => Start === again?.Start));
    await eventually(status(session, name), 'healthy');
  });

  it('comes with the image and can be turned off', async () => {
    const [made, image] = [session.name(), `checked-${session.name()}`];
    await session.docker.ok('create', '--name', made, 'busybox', 'true');
    const change = `HEALTHCHECK --interval=100ms CMD cat /etc/passwd`;
    await session.docker.ok('commit', '-c', change, made, image);
    const [on, off] = [session.name(), session.name()];
    await session.docker.ok('run', '-d', '--name', on, image, 'sleep', '1000');
    await session.docker.ok('run', '-d', '--name', off, '--no-healthcheck', image, 'sleep', '1000');
    await eventually(status(session, on), 'healthy');
    assert.equal(await session.inspect(off, '{{json .State.Health}}'), 'null');
    const shown = JSON.parse(await session.inspect(on, '{{json .Config.Healthcheck}}')) as unknown;
    assert.deepEqual(shown, { Test: ['CMD-SHELL', 'cat /etc/passwd'], Interval: 1e8 });
  });

  const refusals: readonly { readonly check: unknown; readonly words: string }[] = [
    { check: { Test: ['CMD', 'x'], Interval: 500 }, words: 'Interval in Healthcheck cannot be less than 1ms' },
    { check: { Test: ['CMD', 'x'], Timeout: -1 }, words: 'Timeout in Healthcheck cannot be less than 1ms' },
    { check: { Test: ['CMD', 'x'], StartPeriod: 5 }, words: 'StartPeriod in Healthcheck cannot be less than 1ms' },
    { check: { Test: ['CMD', 'x'], Retries: -1 }, words: 'Retries in Healthcheck cannot be negative' },
  ];
  for (const { check, words } of refusals) {
    it(`refuses ${JSON.stringify(check)}`, async () => {
      const json = { Image: 'busybox', Cmd: ['true'], Healthcheck: check };
      const { status: code, body } = await session.ask('POST /v1.41/containers/create', { json });
      assert.deepEqual([code, JSON.parse(body)], [400, { message: words }]);
    });
  }
});

sessions(
  'a health check of an engine that is killed',
  (session) => {
    it('is what it was when the next engine starts, and goes on', async () => {
      const name = await checked(session);
      await eventually(status(session, name), 'healthy');
      await session.engine.kill();
      await session.engine.restart();
      assert.equal(await status(session, name)(), 'healthy');
      await session.docker.ok('exec', name, 'rm', '/well');
      await eventually(status(session, name), 'unhealthy');
    });
  },
  { kinds: FAIRLEAD_ALONE, atOnce: 1 },
);
