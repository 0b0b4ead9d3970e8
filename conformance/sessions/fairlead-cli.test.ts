import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { FairleadCli } from '../fairlead-cli.ts';
import { RunningCommand } from '../running-command.ts';
import { FAIRLEAD_ALONE, type Session, sessions } from '../sessions.ts';

function cliOf(session: Session): FairleadCli {
  return new FairleadCli(`unix://${session.engine.socketPath}`);
}

sessions('fairlead: the same as docker', (session) => {
  it('prints the same, and ends with the same code, for the same command', async () => {
    const cli = cliOf(session);
    const web = await session.background(
      ['-e', 'A=1', '--label', 'x=y'],
      ['sh', '-c', 'echo o1; echo e1 >&2; echo o2; exec sleep 1000'],
    );
    await sleep(300);
    const commands: readonly (readonly string[])[] = [
      [
        'ps',
        '--no-trunc',
        '--filter',
        `name=${web}`,
        '--format',
        '{{.ID}} {{.Names}} {{.Image}} {{.Command}} {{.State}} {{.Labels}}',
      ],
      ['ps', '-q', '--filter', `name=${web}`],
      ['ps', '-aq', '--no-trunc', '--filter', `name=^${web}$`],
      ['ps', '--filter', `name=${web}`, '--format', 'table {{.Names}}\t{{.Image}}'],
      ['images', 'busybox'],
      ['images', '-q', '--no-trunc', 'busybox'],
      ['images', '--format', '{{.Repository}}:{{.Tag}} {{.Size}}', 'busybox'],
      ['history', '--no-trunc', '--format', '{{.ID}} {{.Size}} {{.Comment}}', 'busybox'],
      ['inspect', '-f', '{{.State.Status}} {{.Config.Env}} {{json .Config.Labels}} {{.HostConfig.NetworkMode}}', web],
      ['inspect', '-f', '{{range $k, $v := .NetworkSettings.Networks}}{{$k}} {{end}}{{len .Mounts}}', web],
      ['inspect', '--format', '{{json .Config.Cmd}}', web],
      ['inspect', 'nosuch'],
      ['logs', web],
      ['logs', '--tail', '1', web],
      ['logs', '-t', web],
      ['exec', web, 'sh', '-c', 'echo out; echo err >&2; exit 3'],
      ['exec', '-e', 'B=2', '-w', '/tmp', '-u', '65534', web, 'sh', '-c', 'echo $A$B $PWD; id -u'],
      ['exec', web, 'sh', '-c', 'exit 126'],
      ['exec', web, 'nosuch'],
      ['exec', web, '/etc'],
      ['exec', 'nosuch', 'ls'],
      ['exec', '-d', web, 'true'],
      ['exec', '-it', web, 'ls'],
      ['attach', 'nosuch'],
      ['logs', 'nosuch'],
      ['wait', 'nosuch'],
      ['top', web, '-o', 'pid,comm'],
      ['unpause', web],
      ['stop', 'nosuch'],
      ['kill', 'nosuch'],
      ['kill', '-s', 'BOGUS', web],
      ['restart', '-t', '0', web, 'nosuch'],
      ['start', web, 'nosuch'],
      ['rm', web],
      ['rm', '-f', 'nosuch'],
      ['rmi', 'nosuch'],
      ['tag', 'nosuch', 'x:y'],
      ['rename', 'nosuch', 'other'],
      ['load', '-i', '/nosuch'],
      ['run', '--rm', 'busybox', 'sh', '-c', 'echo out; echo err >&2; exit 5'],
      [
        'run',
        '--rm',
        '-e',
        'C=3',
        '-w',
        '/tmp',
        '-u',
        '65534',
        '-h',
        'here',
        'busybox',
        'sh',
        '-c',
        'echo $C $PWD $(id -u) $(hostname)',
      ],
      ['run', '--rm', '--entrypoint', 'echo', 'busybox', 'hi'],
      ['run', '--rm', '-it', 'busybox', 'true'],
      ['run', '--rm', '-m', '4k', 'busybox', 'true'],
      ['create', '--name', web, 'busybox'],
      ['stop', '-t', '0', web],
      ['stop', web],
      ['start', '-a', web, '--bogus'],
      ['wait', web],
      ['kill', web],
    ];
    for (const args of commands) {
      const [ours, docker] = [await cli.run(args), await session.docker.run(args)];
      const named = args.join(' ');
      assert.equal(ours.stdout, docker.stdout, `stdout of ${named}`);
      assert.equal(ours.exitCode, docker.exitCode, `exit code of ${named}: ${ours.stderr}`);
      assert.equal(firstLine(ours.stderr), firstLine(docker.stderr), `stderr of ${named}`);
    }
  });

  it('ends a run that could not start with 125, 126 or 127', async () => {
    const cli = cliOf(session);
    for (const [command, code] of [
      ['nosuch', 127],
      ['/etc', 126],
    ] as const) {
      const { exitCode, stderr } = await cli.run(['run', '--rm', 'busybox', command]);
      assert.equal(exitCode, code);
      assert.match(
        stderr,
        /^(WARNING.*\n)*fairlead: Error response from daemon: .*\n\nRun 'fairlead run --help' for more information\n$/,
      );
    }
    assert.equal((await cli.run(['run', '--name', '_', 'busybox'])).exitCode, 125);
    assert.equal((await cli.run(['run', '--pull', 'never', 'nosuch:1'])).exitCode, 125);
  });
});

/** What Docker's client says about itself is not compared: usage and hints. Nor are an old engine's warnings. */
function firstLine(text: string): string {
  const lines = text.split('\n').filter((line) => !line.startsWith('WARNING: '));
  return (lines[0] ?? '').replace(/^(docker|fairlead): /, '');
}

sessions('fairlead: streams', (session) => {
  it('carries stdin to the end and back, also when it is large', async () => {
    const cli = cliOf(session);
    const bytes = randomBytes(3 * 1024 * 1024).toString('base64');
    const ran = await cli.run(['run', '-i', '--rm', 'busybox', 'sha256sum'], bytes);
    assert.equal(ran.stdout, `${createHash('sha256').update(bytes).digest('hex')}  -\n`);
    const name = await session.background();
    const echoed = await cli.run(['exec', '-i', name, 'cat'], bytes);
    assert.equal(echoed.exitCode, 0);
    assert.ok(echoed.stdout === bytes, 'cat gives back what it got');
  });

  it('follows a log until the container ends', async () => {
    const cli = cliOf(session);
    const name = await session.background([], ['sh', '-c', 'echo one; sleep 1; echo two; sleep 1; echo three']);
    const { stdout, exitCode } = await cli.run(['logs', '-f', name]);
    assert.deepEqual({ stdout, exitCode }, { stdout: 'one\ntwo\nthree\n', exitCode: 0 });
  });

  it('passes signals on, and ends with the program’s code', async () => {
    const script = 'trap "echo got INT; exit 9" INT; echo ready; while :; do sleep 0.1; done';
    await using running = cliOf(session).start(['run', '--rm', 'busybox', 'sh', '-c', script]);
    await running.says(/ready/);
    running.signal('SIGINT');
    const { exitCode, stdout } = await running.result();
    assert.deepEqual({ exitCode, stdout }, { exitCode: 9, stdout: 'ready\ngot INT\n' });
  });

  it('ends quietly when nobody reads any more', async () => {
    const name = await session.background([], ['sh', '-c', 'yes | head -n 200000; exec sleep 1000']);
    const fairlead = join(import.meta.dirname, '../../bin/fairlead');
    const env = { PATH: process.env['PATH'] ?? '', DOCKER_HOST: `unix://${session.engine.socketPath}` };
    await using shell = new RunningCommand({
      program: 'sh',
      args: ['-c', `'${fairlead}' logs ${name} | head -n 1`],
      env,
    });
    const { stdout, stderr } = await shell.result();
    assert.deepEqual({ stdout, stderr }, { stdout: 'y\n', stderr: '' });
  });
});

sessions('fairlead: terminals', (session) => {
  it('run -it: a terminal of the right size, that follows, and a code', async () => {
    await using shell = cliOf(session).atTerminal(['run', '-it', '--rm', 'busybox', 'sh'], { rows: 31, columns: 97 });
    await shell.says(/\/ # /);
    await sleep(500);
    shell.write('stty size\n');
    await shell.says(/31 97\r\n/);
    await shell.resize({ rows: 40, columns: 120 });
    await sleep(500);
    shell.write('stty size; exit 4\n');
    await shell.says(/40 120\r\n/);
    await shell.says(/terminal restored/);
    assert.equal((await shell.result()).exitCode, 4);
  });

  it('exec -it: Ctrl-C goes to the program, and the terminal is restored', async () => {
    const name = await session.background();
    await using shell = cliOf(session).atTerminal(['exec', '-it', name, 'sh']);
    await shell.says(/\/ # /);
    shell.write('sleep 100\n');
    await sleep(300);
    shell.write('\u0003');
    await shell.says(/\^C[^]*\/ # /);
    shell.write('exit 6\n');
    await shell.says(/terminal restored/);
    assert.equal((await shell.result()).exitCode, 6);
  });

  it('detaches at ctrl-p ctrl-q, attaches again, and the container goes on', async () => {
    const cli = cliOf(session);
    const name = session.name();
    {
      await using shell = cli.atTerminal(['run', '-it', '--name', name, 'busybox', 'sh']);
      await shell.says(/\/ # /);
      shell.write('echo 1$((1+1))3\n');
      await shell.says(/123\r\n/);
      shell.write('\u0010\u0011');
      await shell.says(/terminal restored/);
      assert.equal((await shell.result()).exitCode, 0);
    }
    assert.equal(await session.inspect(name, '{{.State.Running}}'), 'true');
    await using attached = cli.atTerminal(['attach', name]);
    await sleep(700);
    attached.write('echo 4$((2+3))6\n');
    await attached.says(/456\r\n/);
    attached.write('\u0010\u0011');
    await attached.says(/read escape sequence\r?\n[^]*terminal restored/);
    assert.equal((await attached.result()).exitCode, 1);
    assert.equal(await session.inspect(name, '{{.State.Running}}'), 'true');
  });

  it('is restored when the program is killed by a signal', async () => {
    const name = await session.background();
    await using shell = cliOf(session).atTerminal(['exec', '-it', name, 'sh']);
    await shell.says(/\/ # /);
    const device = (await shell.says(/^(\/dev\/\S+)/))[1] ?? '';
    const pgrep = new RunningCommand({
      program: 'pgrep',
      // However it was started: from source, or from one file.
      args: ['-t', device.replace('/dev/', ''), '-f', `exec -it ${name}`],
      env: { PATH: process.env['PATH'] ?? '' },
    });
    const [pid = ''] = (await pgrep.result()).stdout.split('\n');
    // 0 would be everybody here.
    assert.match(pid, /^[1-9]\d*$/);
    process.kill(Number(pid), 'SIGTERM');
    await shell.says(/terminal restored/);
  });
});

sessions('fairlead: stops', (session) => {
  const stubborn = ['sh', '-c', 'trap "" TERM; while :; do sleep 0.1; done'];

  it('--within derives the grace', async () => {
    const name = await session.background([], stubborn);
    const { exitCode, tookMs } = await cliOf(session).run(['stop', '--within', '18s', name]);
    assert.equal(exitCode, 0);
    assert.ok(tookMs < 18_000, `${tookMs}`);
    assert.equal(await session.inspect(name, '{{.State.ExitCode}}'), '137');
  });

  it('--within that cannot fit is refused before anything is sent', async () => {
    const name = await session.background([], stubborn);
    const { exitCode, stderr } = await cliOf(session).run(['stop', '-t', '30', '--within', '20s', name]);
    assert.equal(exitCode, 1);
    assert.match(stderr, /cannot be sure to end within 20 s: 30 s of grace, .*Nothing was sent/);
    assert.equal(await session.inspect(name, '{{.State.Running}}'), 'true');
  });

  it('--patience gives up the listening, says how to go on, and the stop goes on', async () => {
    const name = await session.background([], stubborn);
    const { exitCode, stderr } = await cliOf(session).run(['stop', '-t', '2', '--patience', '500ms', name]);
    assert.equal(exitCode, 1);
    assert.match(stderr, /^Gave up after 0\.\d s\. The engine was asked to give .* up to 2\.0 s/);
    assert.match(stderr, new RegExp(`fairlead wait ${name}`));
    assert.doesNotMatch(stderr, /cannot connect/i);
    assert.equal((await cliOf(session).run(['wait', name])).stdout, '137\n');
  });
});

sessions('fairlead: the program', (session) => {
  it('runs through symbolic links, from any directory', async () => {
    const link = join(session.engine.directory, 'fl');
    symlinkSync(join(import.meta.dirname, '../../bin/fairlead'), link);
    symlinkSync('fl', join(session.engine.directory, 'fl2'));
    const env = { PATH: process.env['PATH'] ?? '' };
    await using shell = new RunningCommand({
      program: 'sh',
      args: ['-c', `cd '${session.engine.directory}'; ./fl2 --version`],
      env,
    });
    assert.match((await shell.result()).stdout, /^Fairlead version \d/);
  });

  it('tells four ways of not being able to connect apart', async () => {
    const file = join(session.engine.directory, 'file');
    writeFileSync(file, '');
    for (const [host, words] of [
      ['unix:///nosuch/socket', /^Cannot connect to the engine at unix:\/\/\/nosuch\/socket: there is no such socket/],
      [`unix://${file}`, /that path is not a socket/],
      ['tcp://127.0.0.1:1', /nobody listens there/],
    ] as const) {
      const { exitCode, stderr } = await new FairleadCli(host).run(['ps']);
      assert.equal(exitCode, 1);
      assert.match(stderr, words);
    }
  });

  const usage = [
    {
      args: ['run', '--bogus'],
      code: 125,
      words: /^unknown flag: --bogus\n\nUsage: {2}fairlead run \[OPTIONS\] IMAGE/,
    },
    { args: ['stop'], code: 1, words: /^fairlead: 'fairlead stop' requires at least 1 argument\n/ },
    {
      args: ['stop', '-t', 'x', 'y'],
      code: 125,
      words: /^invalid argument "x" for "-t, --timeout" flag: strconv\.ParseInt/,
    },
    { args: ['nosuch'], code: 1, words: /^fairlead: unknown command: fairlead nosuch\n/ },
    { args: ['-H', 'npipe://x', 'ps'], code: 1, words: /named pipes exist on Windows only/ },
  ] as const;
  for (const { args, code, words } of usage) {
    it(`refuses ${args.join(' ')}`, async () => {
      const { exitCode, stderr, stdout } = await cliOf(session).run(args);
      assert.deepEqual({ exitCode, stdout }, { exitCode: code, stdout: '' });
      assert.match(stderr, words);
    });
  }
});

sessions(
  'fairlead: operations',
  (session) => {
    it('tells the story of a stop in a line, whoever asked for it', async () => {
      const name = await session.background([], ['sh', '-c', 'trap "" TERM; while :; do sleep 0.1; done']);
      await session.docker.ok('stop', '-t', '1', name);
      const { stdout } = await cliOf(session).run(['operations', name]);
      const [create = '', start = '', stop = ''] = stdout.split('\n');
      assert.match(create, new RegExp(`^create ${name} +asked by Docker-Client/\\S+ `));
      assert.match(start, new RegExp(`^start ${name} +asked by Docker-Client/`));
      assert.match(
        stop,
        new RegExp(
          `^stop ${name} +asked by Docker-Client/.* grace 1\\.0 s {2}killed at 1\\.0 s {2}exit 137 {2}took 1\\.\\d s$`,
        ),
      );
      const json = (await cliOf(session).run(['operations', '--json', '-n', '1', name])).stdout;
      const { Verb, Outcome } = JSON.parse(json);
      assert.deepEqual([Verb, Outcome.Detail, Outcome.ExitCode], ['stop', 'killed', 137]);
    });

    it('starts an engine by itself when none is named, says so once, and uses it from then on', async () => {
      const root = join(session.engine.directory, 'own');
      const cli = new FairleadCli(undefined, { FAIRLEAD_ROOT: root });
      const [first, second] = [await cli.run(['ps']), await cli.run(['ps', '-q'])];
      const pid = Number(readFileSync(join(root, 'engine.pid'), 'utf8'));
      try {
        assert.equal(
          first.stderr,
          `No engine was running: started one in the background (root ${root}, pid ${pid}, log ${root}/engine.log)\n`,
        );
        assert.match(first.stdout, /^CONTAINER ID/);
        assert.deepEqual(
          { exitCode: second.exitCode, stdout: second.stdout, stderr: second.stderr },
          { exitCode: 0, stdout: '', stderr: '' },
        );
      } finally {
        process.kill(pid, 'SIGTERM');
        while (existsSync(`/proc/${pid}`)) await sleep(20);
      }
    });
  },
  { kinds: FAIRLEAD_ALONE },
);
