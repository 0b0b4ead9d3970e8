import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { TELLS_SIZE_AND_LINES } from '../programs.ts';
import { sessions } from '../sessions.ts';

const STARTED_TWICE =
  /Conflict\. The container name "\/\S+" is already in use by container "[0-9a-f]{64}"\. You have to remove \(or rename\) that container to be able to reuse that name\./;
const START_FAILED =
  'Error response from daemon: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: ';

/** Programs that run to their end, and what the client then printed and ended with. */
const FOREGROUND: readonly {
  readonly fact: string;
  readonly options?: readonly string[];
  readonly command: readonly string[];
  readonly input?: string;
  readonly exitCode?: number;
  readonly stdout?: string | RegExp;
  readonly stderr?: string | RegExp;
}[] = [
  {
    fact: 'keeps the two streams apart and ends with the code',
    command: ['sh', '-c', 'echo out; echo err >&2; exit 7'],
    exitCode: 7,
    stdout: 'out\n',
    stderr: 'err\n',
  },
  { fact: 'prints nothing of its own', command: ['true'] },
  { fact: 'prints a last line without an end as it is', command: ['printf', 'no line end'], stdout: 'no line end' },
  {
    fact: 'gives the environment',
    options: ['-e', 'ONE=1', '-e', 'TWO=two words'],
    command: ['sh', '-c', 'echo "$ONE/$TWO"'],
    stdout: '1/two words\n',
  },
  {
    fact: 'lets -e win over the image',
    options: ['-e', 'PATH=/bin'],
    command: ['sh', '-c', 'echo $PATH'],
    stdout: '/bin\n',
  },
  { fact: 'starts in -w', options: ['-w', '/etc'], command: ['pwd'], stdout: '/etc\n' },
  {
    fact: 'makes a -w that is not there',
    options: ['-w', '/made/for/this'],
    command: ['pwd'],
    stdout: '/made/for/this\n',
  },
  {
    fact: 'takes -u by name',
    options: ['-u', 'nobody'],
    command: ['id'],
    stdout: /^uid=65534\(nobody\) gid=65534\(nogroup\)/,
  },
  {
    fact: 'takes -u by numbers that no file knows',
    options: ['-u', '1000:100'],
    command: ['id'],
    stdout: /^uid=1000 gid=100\(users\)/,
  },
  {
    fact: 'takes another entrypoint',
    options: ['--entrypoint', 'echo'],
    command: ['from', 'echo'],
    stdout: 'from echo\n',
  },
  { fact: 'sets the host name', options: ['-h', 'ship'], command: ['hostname'], stdout: 'ship\n' },
  {
    fact: 'pipes -i through',
    options: ['-i'],
    command: ['cat'],
    input: 'through\nthe pipe',
    stdout: 'through\nthe pipe',
  },
  {
    fact: 'ends the input of -i, and waits for what comes after',
    options: ['-i'],
    command: ['sh', '-c', 'wc -c; exit 4'],
    input: 'x'.repeat(100_000),
    stdout: '100000\n',
    exitCode: 4,
  },
  { fact: 'gives no input without -i', command: ['cat'], input: 'not for you' },
  {
    fact: 'ends with 127 and the reason when there is no such program',
    command: ['nosuch'],
    exitCode: 127,
    stderr: new RegExp(`${START_FAILED}exec: "nosuch": executable file not found in \\$PATH`),
  },
  {
    fact: 'ends with 127 when the path leads nowhere',
    command: ['/nosuch'],
    exitCode: 127,
    stderr: new RegExp(`${START_FAILED}exec: "/nosuch": stat /nosuch: no such file or directory`),
  },
  {
    fact: 'ends with 126 when it may not be run',
    command: ['/etc'],
    exitCode: 126,
    stderr: new RegExp(`${START_FAILED}exec: "/etc": permission denied`),
  },
  {
    fact: 'ends with 125 when the user does not exist',
    options: ['-u', 'nosuch'],
    command: ['id'],
    exitCode: 125,
    stderr: /Error response from daemon: unable to find user nosuch: no matching entries in passwd file/,
  },
  {
    fact: 'ends with 125 when the memory would not do',
    options: ['-m', '4m'],
    command: ['id'],
    exitCode: 125,
    stderr: /Error response from daemon: Minimum memory limit allowed is 6MB/,
  },
  {
    fact: 'ends with 125 when the name cannot be one',
    options: ['--name', '../x'],
    command: ['id'],
    exitCode: 125,
    stderr:
      /Error response from daemon: Invalid container name \(\.\.\/x\), only \[a-zA-Z0-9\]\[a-zA-Z0-9_\.-\] are allowed/,
  },
  {
    fact: 'ends with 125 when the working directory is relative',
    options: ['-w', 'etc'],
    command: ['id'],
    exitCode: 125,
    stderr: /Error response from daemon: the working directory 'etc' is invalid, it needs to be an absolute path/,
  },
];

sessions('docker run', (session) => {
  it('ends with 137 when the container was killed', async () => {
    const name = session.name();
    await using running = session.docker.start([
      'run',
      '--name',
      name,
      'busybox',
      'sh',
      '-c',
      'echo ready; sleep 1000',
    ]);
    await running.says(/ready/);
    await session.docker.ok('kill', name);
    assert.equal((await running.result()).exitCode, 137);
  });

  for (const { fact, options = [], command, input, exitCode = 0, stdout = '', stderr = '' } of FOREGROUND) {
    it(fact, async () => {
      const ran = await session.docker.run(['run', '--rm', ...options, 'busybox', ...command], input);
      assert.equal(ran.exitCode, exitCode, ran.stderr);
      if (typeof stdout === 'string') assert.equal(ran.stdout, stdout);
      else assert.match(ran.stdout, stdout);
      if (typeof stderr === 'string') assert.equal(ran.stderr, stderr);
      else assert.match(ran.stderr, stderr);
    });
  }

  it('-d prints the id and leaves the container running', async () => {
    const name = session.name();
    const { exitCode, stdout, stderr } = await session.docker.run([
      'run',
      '-d',
      '--name',
      name,
      'busybox',
      'sleep',
      '1000',
    ]);
    assert.deepEqual({ exitCode, stderr }, { exitCode: 0, stderr: '' });
    assert.match(stdout, /^[0-9a-f]{64}\n$/);
    assert.equal(
      await session.inspect(name, '{{.Id}} {{.State.Status}} {{.State.Running}}'),
      `${stdout.trim()} running true`,
    );
  });

  it('keeps the container without --rm, with its exit code', async () => {
    const name = session.name();
    await session.docker.run(['run', '--name', name, 'busybox', 'sh', '-c', 'exit 3']);
    assert.equal(await session.inspect(name, '{{.State.Status}} {{.State.ExitCode}}'), 'exited 3');
  });

  for (const command of ['true', 'nosuch']) {
    it(`--rm has removed the container when ${command} has ended`, async () => {
      const name = session.name();
      await session.docker.run(['run', '--rm', '--name', name, 'busybox', command]);
      assert.equal(await session.docker.ok('ps', '-aq', '--filter', `name=${name}`), '');
    });
  }

  it('-d --rm removes the container at its end', async () => {
    const id = await session.docker.ok('run', '-d', '--rm', 'busybox', 'sleep', '1');
    const { status, body } = await session.ask(`POST /containers/${id}/wait?condition=removed`);
    assert.equal(status, 200, body);
    assert.match(body, /"StatusCode":0/);
    assert.equal((await session.ask(`GET /containers/${id}/json`)).status, 404);
  });

  it('keeps a start that failed as created, with code and reason', async () => {
    const name = session.name();
    await session.docker.run(['run', '--name', name, 'busybox', 'nosuch']);
    assert.match(
      await session.inspect(name, '{{.State.Status}} {{.State.ExitCode}} {{.State.Error}}'),
      /^created 127 .*executable file not found in \$PATH/,
    );
  });

  it('refuses a name that is taken', async () => {
    const name = await session.background();
    const { exitCode, stdout, stderr } = await session.docker.run(['run', '--name', name, 'busybox']);
    assert.equal(exitCode, 125);
    assert.equal(stdout, '');
    assert.match(stderr, STARTED_TWICE);
  });

  it('-i carries a megabyte of anything through the program, unharmed', async () => {
    const bytes = randomBytes(512 * 1024).toString('hex');
    const { stdout } = await session.docker.run(['run', '--rm', '-i', 'busybox', 'cat'], bytes);
    assert.equal(stdout.length, bytes.length);
    assert.ok(stdout === bytes);
  });

  it('-v shares a directory of the host, read-only with :ro, and makes it when it is not there', async () => {
    const directory = join(session.engine.directory, 'shared');
    mkdirSync(directory);
    await session.docker.ok(
      'run',
      '--rm',
      '-v',
      `${directory}:/data`,
      'busybox',
      'sh',
      '-c',
      'echo from inside > /data/file',
    );
    assert.equal(readFileSync(join(directory, 'file'), 'utf8'), 'from inside\n');
    const refused = await session.docker.run([
      'run',
      '--rm',
      '-v',
      `${directory}:/data:ro`,
      'busybox',
      'touch',
      '/data/file',
    ]);
    assert.deepEqual([refused.exitCode, refused.stderr], [1, 'touch: /data/file: Read-only file system\n']);
    const made = join(session.engine.directory, 'made', 'here');
    await session.docker.ok('run', '--rm', '-v', `${made}:/data`, 'busybox', 'true');
    assert.ok(existsSync(made));
  });

  it('--init puts an init before the program, which reaps and forwards', async () => {
    const name = await session.background(
      ['--init'],
      ['sh', '-c', 'trap "exit 5" TERM; (sleep 0.1 &) ; while :; do sleep 0.1; done'],
    );
    assert.match(await session.docker.ok('exec', name, 'cat', '/proc/1/comm'), /^(docker-init|tini)/);
    await session.docker.ok('stop', name);
    assert.equal(await session.inspect(name, '{{.State.ExitCode}}'), '5');
  });

  it('-m ends what takes more, and says so', async () => {
    const name = session.name();
    const { exitCode } = await session.docker.run(['run', '--name', name, '-m', '16m', 'busybox', 'tail', '/dev/zero']);
    assert.equal(exitCode, 137);
    assert.equal(
      await session.inspect(name, '{{.HostConfig.Memory}} {{.State.OOMKilled}} {{.State.ExitCode}}'),
      '16777216 true 137',
    );
  });

  it('passes a signal to the client on to the program', async () => {
    await using running = session.docker.start([
      'run',
      '--rm',
      'busybox',
      'sh',
      '-c',
      'trap "echo caught; exit 9" TERM; echo ready; while :; do sleep 0.05; done',
    ]);
    await running.says(/ready/);
    running.signal('SIGTERM');
    const { exitCode, stdout } = await running.result();
    assert.deepEqual([exitCode, stdout], [9, 'ready\ncaught\n']);
  });

  it('-it gives a terminal of the right size, follows a resize, and ends with the code', async () => {
    const command = ['busybox', 'sh', '-c', TELLS_SIZE_AND_LINES];
    await using terminal = session.docker.atTerminal(['run', '--rm', '-it', ...command], { rows: 31, columns: 97 });
    await terminal.says(/size 31 97\r\n/);
    await terminal.resizeUntil({ rows: 40, columns: 120 }, /size 40 120\r\n/);
    terminal.write('end\r');
    await terminal.says(/got end\r\n/);
    assert.equal((await terminal.result()).exitCode, 4);
  });
});
