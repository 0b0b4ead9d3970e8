import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { endsOn, IGNORES_TERM } from '../programs.ts';
import { RawConnection } from '../raw-http.ts';
import { sessions } from '../sessions.ts';

sessions('the life of a container', (session) => {
  const list = async (...args: readonly string[]): Promise<string> =>
    await session.docker.ok('ps', '-a', '--no-trunc', ...args);

  it('create, start and the end of it, as ps -a shows them', async () => {
    const name = session.name();
    const id = await session.docker.ok('create', '--name', name, 'busybox', 'sh', '-c', 'sleep 4; exit 3');
    const format = [
      '--filter',
      `name=^/?${name}$`,
      '--format',
      '{{.ID}} {{.Image}} {{.Command}} {{.Status}} {{.Names}}',
    ];
    assert.equal(await list(...format), `${id} busybox "sh -c 'sleep 4; exit 3'" Created ${name}`);
    assert.equal(await session.docker.ok('start', name), name);
    assert.match(await list(...format), /Up (Less than a second|[1-4] seconds?) /);
    assert.equal(await session.docker.ok('wait', name), '3');
    assert.match(await list(...format), /Exited \(3\) (Less than a second|\d seconds?) ago/);
    assert.equal(await session.docker.ok('rm', name), name);
    assert.equal(await list(...format), '');
  });

  it('ps lists what runs, -a everything, and filters by name, status, label, exit code and image', async () => {
    const [up, down] = [await session.background(['-l', 'of=ps']), session.name()];
    await session.docker.run(['run', '-l', 'of=ps', '--name', down, 'busybox', 'sh', '-c', 'exit 4']);
    const names = async (...args: readonly string[]): Promise<readonly string[]> =>
      (await session.docker.ok('ps', '--filter', 'label=of=ps', '--format', '{{.Names}}', ...args))
        .split('\n')
        .filter(Boolean)
        .toSorted();
    assert.deepEqual(await names(), [up]);
    assert.deepEqual(await names('-a'), [up, down].toSorted());
    assert.deepEqual(await names('-a', '--filter', 'status=exited'), [down]);
    assert.deepEqual(await names('-a', '--filter', 'exited=4'), [down]);
    assert.deepEqual(await names('-a', '--filter', `name=${up}`), [up]);
    assert.deepEqual(await names('-a', '--filter', 'ancestor=busybox'), [up, down].toSorted());
    assert.deepEqual(await names('-l'), [down]);
  });

  it('ps prints its table', async () => {
    const name = await session.background();
    const { stdout } = await session.docker.run(['ps', '--filter', `name=${name}`]);
    assert.match(
      stdout,
      /^CONTAINER ID +IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES\n[0-9a-f]{12} +busybox +"sleep 1000" +(Less than a second|\d+ seconds?) ago +Up \S.* +session-\d+\n$/,
    );
  });

  it('inspect tells configuration and state', async () => {
    const name = await session.background([
      '-e',
      'A=b',
      '-w',
      '/tmp',
      '-u',
      'nobody',
      '-h',
      'ship',
      '-l',
      'k=v',
      '--stop-timeout',
      '7',
      '-m',
      '64m',
    ]);
    const { stdout } = await session.docker.run(['inspect', name]);
    const [found] = JSON.parse(stdout) as {
      Name: string;
      Path: string;
      Args: string[];
      Config: Record<string, unknown>;
      HostConfig: Record<string, unknown>;
      State: Record<string, unknown>;
    }[];
    assert.ok(found !== undefined);
    const { Hostname, User, WorkingDir, Labels, StopTimeout, Image, Tty } = found.Config;
    assert.deepEqual([found.Name, found.Path, found.Args], [`/${name}`, 'sleep', ['1000']]);
    assert.deepEqual(
      { Hostname, User, WorkingDir, Labels, StopTimeout, Image, Tty },
      {
        Hostname: 'ship',
        User: 'nobody',
        WorkingDir: '/tmp',
        Labels: { k: 'v' },
        StopTimeout: 7,
        Image: 'busybox',
        Tty: false,
      },
    );
    assert.deepEqual(found.Config['Env'], ['A=b', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin']);
    assert.equal(found.HostConfig['Memory'], 64 * 1024 * 1024);
    const { Status, Running, Paused, Restarting, OOMKilled, Dead, ExitCode, Error: error, FinishedAt } = found.State;
    assert.deepEqual(
      [Status, Running, Paused, Restarting, OOMKilled, Dead, ExitCode, error, FinishedAt],
      ['running', true, false, false, false, false, 0, '', '0001-01-01T00:00:00Z'],
    );
    assert.equal(
      await session.docker.ok('exec', name, 'sh', '-c', 'echo $(hostname) $(pwd) $(id -un) $A'),
      'ship /tmp nobody b',
    );
  });

  it('inspect goes on after one that does not exist', async () => {
    const name = await session.background();
    const { exitCode, stdout, stderr } = await session.docker.run(['inspect', '-f', '{{.Name}}', 'nosuch', name]);
    assert.deepEqual([exitCode, stdout, stderr], [1, `/${name}\n`, 'Error: No such object: nosuch\n']);
  });

  it('finds a container by id, by the beginning of one, and by name', async () => {
    const name = await session.background();
    const id = await session.inspect(name, '{{.Id}}');
    for (const ref of [id, id.slice(0, 12), `/${name}`])
      assert.equal(await session.inspect(ref, '{{.Name}}'), `/${name}`);
    assert.equal((await session.docker.run(['inspect', name.slice(0, -1)])).exitCode, 1);
  });

  it('pause holds the processes, unpause lets them go on', async () => {
    const name = await session.background([], ['sh', '-c', 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done']);
    await using logs = session.docker.start(['logs', '-f', name]);
    await logs.says(/^1\n/);
    assert.equal(await session.docker.ok('pause', name), name);
    assert.equal(
      await session.inspect(name, '{{.State.Status}} {{.State.Running}} {{.State.Paused}}'),
      'paused true true',
    );
    assert.match(await list('--filter', `name=${name}`, '--format', '{{.Status}}'), /\(Paused\)$/);
    const held = await session.docker.ok('logs', '--tail', '1', name);
    await sleep(200);
    assert.equal(await session.docker.ok('logs', '--tail', '1', name), held);
    assert.equal(await session.docker.ok('unpause', name), name);
    await logs.says(new RegExp(`^${Number(held) + 2}\n`, 'm'));
  });

  it('rename keeps everything else', async () => {
    const [name, other] = [await session.background(), session.name()];
    const id = await session.inspect(name, '{{.Id}}');
    assert.equal(await session.docker.ok('rename', name, other), '');
    assert.equal(await session.inspect(other, '{{.Id}} {{.State.Status}}'), `${id} running`);
    await session.docker.ok('run', '-d', '--name', name, 'busybox', 'true');
  });

  it('top lists the processes as the host sees them', async () => {
    const name = await session.background([], ['sh', '-c', 'sleep 1000 & wait']);
    await sleep(200);
    const { stdout } = await session.docker.run(['top', name]);
    const [titles, ...processes] = stdout.trim().split('\n');
    assert.match(titles ?? '', /^UID +PID +PPID +C +STIME +TTY +TIME +CMD *$/);
    assert.deepEqual(processes.map((line) => line.replace(/^.*\d\d:\d\d:\d\d +/, '').trim()).toSorted(), [
      'sh -c sleep 1000 & wait',
      'sleep 1000',
    ]);
    const pid = await session.inspect(name, '{{.State.Pid}}');
    assert.match(
      await session.docker.ok('top', name, '-o', 'pid,comm'),
      new RegExp(`^PID +COMMAND *\\n${pid} +sh *\\n\\d+ +sleep *$`),
    );
  });

  it('restart gives another process, and keeps the files', async () => {
    const name = await session.background([], endsOn('TERM', 0));
    const before = await session.inspect(name, '{{.State.Pid}}');
    await session.docker.ok('exec', name, 'touch', '/kept');
    assert.equal(await session.docker.ok('restart', name), name);
    const [status, pid] = (await session.inspect(name, '{{.State.Status}} {{.State.Pid}}')).split(' ');
    assert.equal(status, 'running');
    assert.notEqual(pid, before);
    await session.docker.ok('exec', name, 'ls', '/kept');
  });

  it('restart starts what has ended, and -t is its grace', async () => {
    const name = await session.background([], IGNORES_TERM);
    const { exitCode, tookMs } = await session.docker.run(['restart', '-t', '1', name]);
    assert.equal(exitCode, 0);
    assert.ok(tookMs > 1_000 && tookMs < 8_000, `took ${tookMs} ms`);
    await session.docker.ok('kill', name);
    await session.docker.ok('restart', name);
    assert.equal(await session.inspect(name, '{{.State.Status}}'), 'running');
  });

  it('restart keeps a container that removes itself', async () => {
    const name = await session.background(['--rm'], endsOn('TERM', 0));
    await session.docker.ok('restart', name);
    assert.equal(await session.inspect(name, '{{.State.Status}}'), 'running');
    await session.docker.ok('stop', name);
    await sleep(500);
    assert.equal((await session.docker.run(['inspect', name])).exitCode, 1);
  });

  it('--restart on-failure starts again as often as it says', async () => {
    const name = await session.background(['--restart', 'on-failure:2'], ['sh', '-c', 'echo run; exit 3']);
    for (
      let tries = 0;
      (await session.inspect(name, '{{.State.Status}} {{.RestartCount}}')) !== 'exited 2' && tries < 60;
      tries++
    )
      await sleep(100);
    assert.equal(await session.inspect(name, '{{.State.ExitCode}} {{.RestartCount}}'), '3 2');
    assert.equal(await session.docker.ok('logs', name), 'run\nrun\nrun');
  });

  it('kill sends the signal it is given, and KILL by default', async () => {
    const name = await session.background(
      [],
      ['sh', '-c', 'trap "echo hup" HUP; echo ready; while :; do sleep 0.05; done'],
    );
    await using logs = session.docker.start(['logs', '-f', name]);
    await logs.says(/ready/);
    assert.equal(await session.docker.ok('kill', '-s', 'HUP', name), name);
    await logs.says(/hup\n/);
    assert.equal(await session.docker.ok('kill', '-s', '1', name), name);
    await logs.says(/hup\n.*hup\n/s);
    assert.equal(await session.docker.ok('kill', name), name);
    assert.equal(await session.inspect(name, '{{.State.Status}} {{.State.ExitCode}}'), 'exited 137');
  });

  it('wait prints the codes in the order of its arguments, also of what has ended before', async () => {
    const [first, second] = [
      await session.background([], ['sh', '-c', 'sleep 0.5; exit 5']),
      await session.background([], ['sh', '-c', 'exit 6']),
    ];
    assert.equal(await session.docker.ok('wait', first, second), '5\n6');
  });

  it('wait answers its head at once, and its body at the end', async () => {
    const name = await session.background();
    using waiting = await RawConnection.open(session.engine.socketPath);
    await waiting.request(`POST /containers/${name}/wait`, 'Content-Length: 0');
    const { status, lines } = await waiting.head();
    assert.equal(status, 200);
    assert.ok(lines.includes('Content-Type: application/json'));
    assert.equal(await session.inspect(name, '{{.State.Status}}'), 'running');
    await session.docker.ok('kill', name);
    assert.match(String(await waiting.read()), /"StatusCode":137/);
  });

  it('rm refuses what runs; -f kills it first', async () => {
    const name = await session.background();
    const id = await session.inspect(name, '{{.Id}}');
    const refused = await session.docker.run(['rm', name]);
    const words = session.differs({
      fairlead: `cannot remove container "${name}": container is running: stop the container before removing or force remove`,
      dockerd: `You cannot remove a running container ${id}. Stop the container before attempting removal or force remove`,
    });
    assert.deepEqual([refused.exitCode, refused.stderr], [1, `Error response from daemon: ${words}\n`]);
    assert.equal(await session.docker.ok('rm', '-f', name), name);
    assert.equal(await list('-q', '--filter', `name=${name}`), '');
  });

  it('rm -f of one that does not exist is a warning', async () => {
    const { exitCode, stderr } = await session.docker.run(['rm', '-f', 'nosuch']);
    assert.equal(exitCode, 0);
    assert.match(stderr, /^Error(?: response from daemon)?: No such container: nosuch\n$/);
  });

  const REFUSED: readonly {
    readonly args: readonly string[];
    readonly stderr: string | { readonly fairlead: string; readonly dockerd: string };
  }[] = [
    ...['start', 'stop', 'restart', 'pause', 'unpause', 'wait', 'top'].map((verb) => ({
      args: [verb, 'nosuch'],
      stderr: 'No such container: nosuch',
    })),
    { args: ['rm', 'nosuch'], stderr: 'No such container: nosuch' },
    { args: ['logs', 'nosuch'], stderr: 'No such container: nosuch' },
    { args: ['rename', 'nosuch', 'other'], stderr: 'No such container: nosuch' },
    {
      args: ['kill', 'nosuch'],
      stderr: {
        fairlead: 'cannot kill container: nosuch: No such container: nosuch',
        dockerd: 'Cannot kill container: nosuch: No such container: nosuch',
      },
    },
    {
      args: ['kill', '-s', 'BOGUS', 'nosuch'],
      stderr: { fairlead: 'invalid signal: BOGUS', dockerd: 'Invalid signal: BOGUS' },
    },
    {
      args: ['ps', '--filter', 'bogus=1'],
      stderr: { fairlead: "invalid filter 'bogus'", dockerd: "Invalid filter 'bogus'" },
    },
  ];
  for (const { args, stderr } of REFUSED) {
    it(`${args.join(' ')} is refused in Docker’s words`, async () => {
      const ran = await session.docker.run(args);
      assert.equal(ran.exitCode, 1);
      const words = typeof stderr === 'string' ? stderr : session.differs(stderr);
      assert.match(ran.stderr.split('\n')[0] ?? '', new RegExp(`^Error( response from daemon)?: ${words}$`));
    });
  }
});
