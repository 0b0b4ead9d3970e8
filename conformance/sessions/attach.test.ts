import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ECHOES_LINES } from '../programs.ts';
import { RawConnection } from '../raw-http.ts';
import type { RunningCommand } from '../running-command.ts';
import { sessions } from '../sessions.ts';

const COUNT = ['sh', '-c', 'i=0; while :; do i=$((i+1)); echo "line $i"; sleep 0.05; done'];
const DETACH = '\x10\x11';

sessions('docker attach', (session) => {
  it('shows what is printed from now on, and ends with the code of the container', async () => {
    const name = await session.background(
      [],
      ['sh', '-c', 'echo before; until [ -e /go ]; do sleep 0.05; done; echo out; echo err >&2; exit 6'],
    );
    await using attached = await attach(1, '--no-stdin', name);
    await session.docker.ok('exec', name, 'touch', '/go');
    const { exitCode, stdout, stderr } = await attached.result();
    assert.deepEqual({ exitCode, stdout, stderr }, { exitCode: 6, stdout: 'out\n', stderr: 'err\n' });
  });

  it('writes to the program', async () => {
    const name = await session.background(['-i'], ECHOES_LINES);
    await using attached = session.docker.start(['attach', name]);
    attached.write('one\n');
    await attached.says(/got one\n/);
    attached.write('end\n');
    const { exitCode, stdout } = await attached.result();
    assert.deepEqual([exitCode, stdout], [6, 'got one\ngot end\n']);
  });

  it('lets go at the end of one client’s input, and the program goes on reading from others', async () => {
    const name = await session.background(['-i'], ECHOES_LINES);
    using stream = await RawConnection.open(session.engine.socketPath);
    await stream.request(
      `POST /containers/${name}/attach?stream=1&stdin=1&stdout=1`,
      'Connection: Upgrade',
      'Upgrade: tcp',
    );
    assert.equal((await stream.head()).status, 101);
    await using other = await attach(2, name);
    await stream.send('one\n');
    await other.says(/got one\n/);
    stream.halfClose();
    assert.match(Buffer.concat(await Array.fromAsync(stream.rest())).toString(), /got one\n$/);
    other.write('end\n');
    assert.equal((await other.result()).exitCode, 6);
  });

  it('shows everybody everything', async () => {
    const name = await session.background(['-i'], ECHOES_LINES);
    await using first = await attach(1, name);
    await using second = await attach(2, name);
    first.write('from the first\n');
    second.write('from the second\n');
    for (const attached of [first, second]) {
      await attached.says(/got from the first\n/);
      await attached.says(/got from the second\n/);
    }
    second.write('end\n');
    assert.deepEqual([(await first.result()).exitCode, (await second.result()).exitCode], [6, 6]);
  });

  it('lets go at ctrl-p ctrl-q; the program goes on, and can be attached to again', async () => {
    const name = session.name();
    await using first = session.docker.atTerminal(['run', '-it', '--name', name, 'busybox', ...ECHOES_LINES]);
    await first.says(/\n/);
    first.write('one\r');
    await first.says(/got one\r\n/);
    first.write(DETACH);
    assert.equal((await first.result()).exitCode, 0);
    assert.equal(await session.inspect(name, '{{.State.Running}}'), 'true');
    await using second = session.docker.atTerminal(['attach', name]);
    await hasAttached(name, 2);
    second.write('end\r');
    await second.says(/got end\r\n/);
    assert.equal((await second.result()).exitCode, 6);
  });

  it('lets go at keys of one’s own, and passes the usual ones on', async () => {
    const name = session.name();
    const command = ['sh', '-c', 'stty raw -echo; echo ready; dd bs=1 count=2 2>/dev/null | od -An -c; sleep 100'];
    await using attached = session.docker.atTerminal([
      'run',
      '-it',
      '--detach-keys',
      'ctrl-a,x',
      '--name',
      name,
      'busybox',
      ...command,
    ]);
    await attached.says(/ready/);
    attached.write(DETACH);
    await attached.says(/020\s+021/);
    attached.write('\x01x');
    assert.equal((await attached.result()).exitCode, 0);
    assert.equal(await session.inspect(name, '{{.State.Running}}'), 'true');
  });

  it('a client that is killed leaves the container as it is', async () => {
    const name = await session.background([], COUNT);
    await using attached = session.docker.start(['attach', '--no-stdin', '--sig-proxy=false', name]);
    await attached.says(/line \d+\n/);
    attached.signal('SIGKILL');
    await attached.result();
    const printed = (await session.docker.ok('logs', name)).split('\n').length;
    await using again = session.docker.start(['attach', '--no-stdin', '--sig-proxy=false', name]);
    const [, first] = await again.says(/^line (\d+)\n/);
    assert.ok(Number(first) > printed);
    await again.says(new RegExp(`line ${Number(first) + 5}\n`));
  });

  it('passes SIGTERM to the client on', async () => {
    const name = await session.background(
      [],
      ['sh', '-c', 'trap "echo bye; exit 8" TERM; while :; do echo on; sleep 0.05; done'],
    );
    await using attached = session.docker.start(['attach', '--no-stdin', name]);
    await attached.says(/on\n/);
    attached.signal('SIGTERM');
    const { exitCode, stdout } = await attached.result();
    assert.equal(exitCode, 8);
    assert.match(stdout, /bye\n$/);
  });

  it('start -a shows everything from the first byte', async () => {
    const name = session.name();
    await session.docker.ok('create', '--name', name, 'busybox', 'sh', '-c', 'echo out; echo err >&2; exit 5');
    const { exitCode, stdout, stderr } = await session.docker.run(['start', '-a', name]);
    assert.deepEqual({ exitCode, stdout, stderr }, { exitCode: 5, stdout: 'out\n', stderr: 'err\n' });
  });

  it('start -ai gives the input of a created container', async () => {
    const name = session.name();
    await session.docker.ok('create', '-i', '--name', name, 'busybox', 'cat');
    const { exitCode, stdout } = await session.docker.run(['start', '-ai', name], 'given\n');
    assert.deepEqual([exitCode, stdout], [0, 'given\n']);
  });

  it('is refused for a container that is not running, or paused', async () => {
    const name = session.name();
    await session.docker.ok('create', '--name', name, 'busybox');
    const stopped = await session.docker.run(['attach', name]);
    assert.deepEqual(
      [stopped.exitCode, stopped.stderr],
      [1, 'You cannot attach to a stopped container, start it first\n'],
    );
    const paused = await session.background();
    await session.docker.ok('pause', paused);
    const refused = await session.docker.run(['attach', paused]);
    assert.deepEqual(
      [refused.exitCode, refused.stderr],
      [1, 'You cannot attach to a paused container, unpause it first\n'],
    );
  });

  /** Starts a client and waits until it is the `count`-th one that is attached. The last argument is the container. */
  async function attach(count: number, ...args: readonly string[]): Promise<RunningCommand> {
    const client = session.docker.start(['attach', ...args]);
    await hasAttached(args.at(-1) ?? '', count);
    return client;
  }

  async function hasAttached(name: string, count: number): Promise<void> {
    const filters = ['--filter', `container=${name}`, '--filter', 'event=attach'];
    await using events = session.docker.start(['events', '--since', '60s', '--format', '{{.Action}}', ...filters]);
    await events.says(new RegExp(`(attach\n){${count}}`));
  }
});
