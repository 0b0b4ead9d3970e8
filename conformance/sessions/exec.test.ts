import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../eventually.ts';
import { TELLS_SIZE_AND_LINES } from '../programs.ts';
import { RawConnection } from '../raw-http.ts';
import { sessions, type Session } from '../sessions.ts';

const EXEC_FAILED = 'OCI runtime exec failed: exec failed: unable to start container process: ';

const COMMANDS: readonly {
  readonly fact: string;
  readonly options?: readonly string[];
  readonly command: readonly string[];
  readonly input?: string;
  readonly exitCode?: number | { readonly fairlead: number; readonly dockerd: number };
  readonly stdout?: string;
  readonly stderr?: string;
}[] = [
  { fact: 'ends with 0', command: ['true'] },
  { fact: 'ends with the code of the program', command: ['sh', '-c', 'exit 3'], exitCode: 3 },
  {
    fact: 'keeps the two streams apart',
    command: ['sh', '-c', 'echo out; echo err >&2'],
    stdout: 'out\n',
    stderr: 'err\n',
  },
  // Every exec that could not be started was 126 before Docker 28.
  {
    fact: 'says in the stream that there is no such program',
    command: ['nosuch'],
    exitCode: { fairlead: 127, dockerd: 126 },
    stdout: `${EXEC_FAILED}exec: "nosuch": executable file not found in $PATH: unknown\r\n`,
  },
  {
    fact: 'says in the stream that the path leads nowhere',
    command: ['/nosuch'],
    exitCode: { fairlead: 127, dockerd: 126 },
    stdout: `${EXEC_FAILED}exec: "/nosuch": stat /nosuch: no such file or directory: unknown\r\n`,
  },
  {
    fact: 'says in the stream that it may not be run',
    command: ['/etc'],
    exitCode: 126,
    stdout: `${EXEC_FAILED}exec: "/etc": permission denied: unknown\r\n`,
  },
  {
    fact: 'says in the stream that there is no such user',
    options: ['-u', 'nosuch'],
    command: ['id'],
    exitCode: { fairlead: 128, dockerd: 126 },
    stdout: 'unable to find user nosuch: no matching entries in passwd file\r\n',
  },
  {
    fact: 'says in the stream that there is no such directory',
    options: ['-w', '/nosuch'],
    command: ['id'],
    exitCode: { fairlead: 127, dockerd: 126 },
    stdout: `${EXEC_FAILED}chdir to cwd ("/nosuch") set in config.json failed: no such file or directory: unknown\r\n`,
  },
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
    input: 'x'.repeat(300_000),
    exitCode: 4,
    stdout: '300000\n',
  },
  { fact: 'gives no input without -i', command: ['cat'], input: 'not for you' },
  { fact: 'takes -u by name', options: ['-u', 'nobody'], command: ['id', '-un'], stdout: 'nobody\n' },
  {
    fact: 'takes -u by numbers',
    options: ['-u', '1000:100'],
    command: ['sh', '-c', 'id -u; id -g'],
    stdout: '1000\n100\n',
  },
  {
    fact: 'takes the home directory of -u',
    options: ['-u', 'nobody'],
    command: ['sh', '-c', 'echo $HOME'],
    stdout: '/home\n',
  },
  { fact: 'starts in -w', options: ['-w', '/proc'], command: ['pwd'], stdout: '/proc\n' },
  {
    fact: 'adds -e to the environment of the container',
    options: ['-e', 'TWO=2'],
    command: ['sh', '-c', 'echo $ONE $TWO'],
    stdout: '1 2\n',
  },
  {
    fact: 'lets -e win over the container',
    options: ['-e', 'ONE=one'],
    command: ['sh', '-c', 'echo $ONE'],
    stdout: 'one\n',
  },
  { fact: 'gives a terminal with -t alone', options: ['-t'], command: ['tty'], stdout: '/dev/pts/0\r\n' },
  { fact: 'ends with 137 when the program was killed', command: ['sh', '-c', 'kill -9 $$'], exitCode: 137 },
];

async function createExec(
  session: Session,
  container: string,
  config: Readonly<Record<string, unknown>>,
): Promise<string> {
  const { status, body } = await session.ask(`POST /containers/${container}/exec`, { json: config });
  assert.equal(status, 201, body);
  const { Id } = JSON.parse(body) as { Id: string };
  return Id;
}

async function inspectExec(
  session: Session,
  id: string,
): Promise<{ Running: boolean; ExitCode: number | null; Pid: number }> {
  return JSON.parse((await session.ask(`GET /exec/${id}/json`)).body) as {
    Running: boolean;
    ExitCode: number | null;
    Pid: number;
  };
}

sessions('docker exec', (session) => {
  for (const { fact, options = [], command, input, exitCode = 0, stdout = '', stderr = '' } of COMMANDS) {
    it(fact, async () => {
      const name = await session.background(['-e', 'ONE=1']);
      const ran = await session.docker.run(['exec', ...options, name, ...command], input);
      const expected = typeof exitCode === 'number' ? exitCode : session.differs(exitCode);
      assert.deepEqual(
        { exitCode: ran.exitCode, stdout: ran.stdout, stderr: ran.stderr },
        { exitCode: expected, stdout, stderr },
      );
    });
  }

  it('-it gives a terminal of the right size, follows a resize, and ends with the code', async () => {
    const name = await session.background();
    const command = [name, 'sh', '-c', TELLS_SIZE_AND_LINES];
    await using terminal = session.docker.atTerminal(['exec', '-it', ...command], { rows: 31, columns: 97 });
    await terminal.says(/size 31 97\r\n/);
    await terminal.resizeUntil({ rows: 40, columns: 120 }, /size 40 120\r\n/);
    terminal.write('end\r');
    await terminal.says(/got end\r\n/);
    assert.equal((await terminal.result()).exitCode, 4);
  });

  it('-it lets go at ctrl-p ctrl-q, and the program goes on', async () => {
    const name = await session.background();
    await using terminal = session.docker.atTerminal([
      'exec',
      '-it',
      name,
      'sh',
      '-c',
      'echo ready; sleep 0.5; echo done > /left; sleep 100',
    ]);
    await terminal.says(/ready/);
    terminal.write('\x10\x11');
    const { exitCode, stdout } = await terminal.result();
    assert.equal(exitCode, 1);
    assert.match(stdout, /exec attach failed: error on attach stdin: read escape sequence|read escape sequence/);
    await sleep(700);
    assert.equal(await session.docker.ok('exec', name, 'cat', '/left'), 'done');
  });

  it('-d says nothing and does not wait', async () => {
    const name = await session.background();
    const { exitCode, stdout, stderr } = await session.docker.run([
      'exec',
      '-d',
      name,
      'sh',
      '-c',
      'until [ -e /go ]; do sleep 0.05; done; echo x > /late',
    ]);
    assert.deepEqual({ exitCode, stdout, stderr }, { exitCode: 0, stdout: '', stderr: '' });
    await session.docker.ok('exec', name, 'touch', '/go');
    await eventually(async () => (await session.docker.run(['exec', name, 'cat', '/late'])).stdout, 'x\n');
  });

  it('-d fails when the program cannot be started', async () => {
    const name = await session.background();
    const { exitCode, stderr } = await session.docker.run(['exec', '-d', name, 'nosuch']);
    assert.deepEqual(
      [exitCode, stderr],
      [1, `Error response from daemon: ${EXEC_FAILED}exec: "nosuch": executable file not found in $PATH: unknown\n`],
    );
  });

  it('is refused while the container is stopped, paused or unknown', async () => {
    const stopped = session.name();
    await session.docker.ok('create', '--name', stopped, 'busybox');
    const id = await session.inspect(stopped, '{{.Id}}');
    const paused = await session.background();
    await session.docker.ok('pause', paused);
    const refusals = [
      {
        container: stopped,
        words: `Error response from daemon: ${session.differs({ fairlead: 'c', dockerd: 'C' })}ontainer ${id} is not running`,
      },
      {
        container: paused,
        words: `Error response from daemon: Container ${paused} is paused, unpause the container before exec`,
      },
      { container: 'nosuch', words: 'No such container: nosuch' },
    ];
    for (const { container, words } of refusals) {
      const { exitCode, stdout, stderr } = await session.docker.run(['exec', container, 'true']);
      assert.deepEqual([exitCode, stdout], [1, '']);
      assert.ok(stderr.includes(words), stderr);
    }
  });

  for (const [how, args] of [
    ['rm -f', ['rm', '-f']],
    ['stop', ['stop', '-t', '0']],
  ] as const) {
    it(`ends with 137 when the container goes by ${how} meanwhile`, async () => {
      const name = await session.background();
      await using running = session.docker.start(['exec', name, 'sh', '-c', 'echo ready; sleep 100']);
      await running.says(/ready/);
      await session.docker.ok(...args, name);
      assert.equal((await running.result()).exitCode, 137);
    });
  }

  it('closes the stream 2 s after the program when a child of it still holds its output', async () => {
    const name = await session.background();
    const { exitCode, stdout, tookMs } = await session.docker.run([
      'exec',
      name,
      'sh',
      '-c',
      '(sleep 20; echo late) & echo early; exit 3',
    ]);
    assert.deepEqual([exitCode, stdout], [3, 'early\n']);
    assert.ok(tookMs > 1_900 && tookMs < 15_000, `took ${tookMs} ms`);
  });

  it('a resize that comes before the start waits for it', async () => {
    const name = await session.background();
    const id = await createExec(session, name, {
      Cmd: ['sh', '-c', 'sleep 0.3; stty size'],
      Tty: true,
      AttachStdin: true,
      AttachStdout: true,
    });
    const resized = session.ask(`POST /exec/${id}/resize?h=33&w=99`);
    await sleep(300);
    using stream = await RawConnection.open(session.engine.socketPath);
    await stream.upgrade(`POST /exec/${id}/start`, { Tty: true });
    assert.equal((await stream.head()).status, 101);
    assert.equal((await resized).status, 200);
    assert.match((await Array.fromAsync(stream.rest())).join(''), /33 99/);
  });

  it('a half-close at a terminal ends the stream and not the program', async () => {
    const name = await session.background();
    const id = await createExec(session, name, {
      Cmd: ['sleep', '100'],
      Tty: true,
      AttachStdin: true,
      AttachStdout: true,
    });
    using stream = await RawConnection.open(session.engine.socketPath);
    await stream.upgrade(`POST /exec/${id}/start`, { Tty: true });
    await stream.head();
    stream.halfClose();
    assert.deepEqual(await Array.fromAsync(stream.rest()), []);
    assert.equal((await inspectExec(session, id)).Running, true);
  });

  it('cannot be started twice', async () => {
    const name = await session.background();
    const id = await createExec(session, name, { Cmd: ['true'] });
    assert.equal((await session.ask(`POST /exec/${id}/start`, { json: { Detach: true } })).status, 200);
    await sleep(500);
    const { status, body } = await session.ask(`POST /exec/${id}/start`, { json: { Detach: true } });
    assert.equal(status, 409);
    assert.match(
      body,
      session.differs({
        fairlead: new RegExp(`"exec command ${id} has already run"`),
        dockerd: new RegExp(`"Error: Exec command ${id} has already run"`),
      }),
    );
  });

  it('inspect says null before, the code after, and nothing of one that does not exist', async () => {
    const name = await session.background();
    const id = await createExec(session, name, { Cmd: ['sh', '-c', 'exit 9'], AttachStdout: true });
    assert.deepEqual(await inspectExec(session, id).then(({ Running, ExitCode }) => [Running, ExitCode]), [
      false,
      null,
    ]);
    using stream = await RawConnection.open(session.engine.socketPath);
    await stream.upgrade(`POST /exec/${id}/start`, {});
    await stream.head();
    await Array.fromAsync(stream.rest());
    assert.deepEqual(await inspectExec(session, id).then(({ Running, ExitCode }) => [Running, ExitCode]), [false, 9]);
    const unknown = await session.ask(`GET /exec/${id.slice(0, 12)}/json`);
    assert.deepEqual(
      [unknown.status, unknown.body],
      [404, `{"message":"No such exec instance: ${id.slice(0, 12)}"}\n`],
    );
  });

  it('whose client is gone goes on to its end, printing to nobody, and keeps its code', async () => {
    const name = await session.background();
    const Cmd = ['sh', '-c', 'for i in 1 2 3 4 5; do echo $i; sleep 0.1; done; exit 9'];
    const id = await createExec(session, name, { Cmd, AttachStdout: true });
    using stream = await RawConnection.open(session.engine.socketPath);
    await stream.upgrade(`POST /exec/${id}/start`, {});
    await stream.head();
    stream[Symbol.dispose]();
    // 20.10 has another one for it than its own event.
    const expected = session.differs({ fairlead: 9, dockerd: 126 });
    await eventually(async () => (await inspectExec(session, id)).ExitCode, expected);
  });

  it('that is detached is answered, never taken over', async () => {
    const name = await session.background();
    const id = await createExec(session, name, { Cmd: ['true'] });
    using stream = await RawConnection.open(session.engine.socketPath);
    await stream.upgrade(`POST /exec/${id}/start`, { Detach: true });
    const { status, lines } = await stream.head();
    assert.equal(status, 200);
    assert.ok(lines.includes('Content-Length: 0'));
    assert.ok(!lines.some((line) => line.startsWith('Upgrade')));
  });

  it('that was started before is refused before the connection is taken over', async () => {
    const name = await session.background();
    const id = await createExec(session, name, { Cmd: ['sleep', '100'], AttachStdout: true });
    await session.ask(`POST /exec/${id}/start`, { json: { Detach: true } });
    using stream = await RawConnection.open(session.engine.socketPath);
    await stream.upgrade(`POST /exec/${id}/start`, { Detach: false });
    assert.equal((await stream.head()).status, session.differs({ fairlead: 409, dockerd: 101 }));
    assert.match(String(await stream.read()), /xec command [0-9a-f]{64} is already running/);
  });

  it('cannot be resized after its end', async () => {
    const name = await session.background();
    const id = await createExec(session, name, { Cmd: ['true'], AttachStdout: true });
    await session.ask(`POST /exec/${id}/start`, { json: {} });
    assert.equal((await session.ask(`POST /exec/${id}/resize?h=1&w=1`)).status, 404);
  });

  it('is announced by program and arguments, with a blank behind a program alone', async () => {
    const name = await session.background();
    await createExec(session, name, { Cmd: ['cat'] });
    await createExec(session, name, { Cmd: ['cat', '-u', '/x'] });
    const filters = encodeURIComponent(JSON.stringify({ container: [name], event: ['exec_create'] }));
    const { body } = await session.ask(`GET /events?since=1&until=${Math.ceil(Date.now() / 1000)}&filters=${filters}`);
    const actions = body
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { Action: string }).Action);
    assert.deepEqual(actions, ['exec_create: cat ', 'exec_create: cat -u /x']);
  });
});
