import assert from 'node:assert/strict';
import { it } from 'node:test';
import { FrameDecoder } from '@fairlead/protocol';
import { eventually } from '../eventually.ts';
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

/** Clients that say for themselves when they send and when they close: the docker CLI has one way of each. */
sessions('POST /containers/{id}/attach', (session) => {
  const create = async (command: readonly string[], config: object = {}): Promise<string> => {
    const name = session.name();
    const json = { Image: 'busybox', Cmd: command, ...config, HostConfig: { NetworkMode: 'none' } };
    const { status, body } = await session.ask(`POST /containers/create?name=${name}`, { json });
    assert.equal(status, 201, body);
    return name;
  };
  const running = async (command: readonly string[], config: object = {}): Promise<string> => {
    const name = await create(command, config);
    assert.equal((await session.ask(`POST /containers/${name}/start`)).status, 204);
    return name;
  };
  const attach = async (name: string, query: string): Promise<RawConnection> => {
    const stream = await RawConnection.open(session.engine.socketPath);
    await stream.request(
      `POST /containers/${name}/attach?${query}`,
      'Connection: Upgrade',
      'Upgrade: tcp',
      'Content-Length: 0',
    );
    return stream;
  };
  /** Line by line, because two may come in one frame. */
  const textOf = async (stream: RawConnection): Promise<string> =>
    new FrameDecoder()
      .push(Buffer.concat(await Array.fromAsync(stream.rest())))
      .flatMap(({ stream: from, bytes }) =>
        Buffer.from(bytes)
          .toString()
          .split(/(?<=\n)/)
          .map((line) => `${from}: ${line}`),
      )
      .join('');

  it('asks for nothing unless it is told to, and is an event all the same', async () => {
    const name = await running(['sh', '-c', 'echo said; sleep 1000']);
    using stream = await attach(name, '');
    assert.equal((await stream.head()).status, 101);
    assert.equal(await textOf(stream), '');
    const until = Math.ceil(Date.now() / 1000) + 1;
    const filters = encodeURIComponent(JSON.stringify({ container: [name], event: ['attach'] }));
    const { body } = await session.ask(`GET /events?since=1&until=${until}&filters=${filters}`);
    assert.match(body, /"Action":"attach"/);
  });

  it('plays the log back, by stream, and ends without stream', async () => {
    const name = await running(['sh', '-c', 'echo out; echo err >&2; sleep 1000']);
    await eventually(
      async () => (await session.ask(`GET /containers/${name}/logs?stderr=1`)).body.includes('err'),
      true,
    );
    using stream = await attach(name, 'logs=1&stdout=1');
    await stream.head();
    assert.equal(await textOf(stream), 'stdout: out\n');
  });

  it('plays the log back, and goes on with stream', async () => {
    const name = await running(['sh', '-c', 'echo one; read x; echo two'], { OpenStdin: true });
    await eventually(
      async () => (await session.ask(`GET /containers/${name}/logs?stdout=1`)).body.includes('one'),
      true,
    );
    using stream = await attach(name, 'logs=1&stream=1&stdout=1&stdin=1');
    await stream.head();
    await stream.send('go\n');
    assert.equal(await textOf(stream), 'stdout: one\nstdout: two\n');
  });

  it('to what has ended shows the next run', async () => {
    const name = await running(['echo', 'run']);
    await session.ask(`POST /containers/${name}/wait`);
    using stream = await attach(name, 'stream=1&stdout=1');
    assert.equal((await stream.head()).status, 101);
    await session.ask(`POST /containers/${name}/start`);
    assert.equal(await textOf(stream), 'stdout: run\n');
  });

  it('shows the streams that were asked for', async () => {
    const name = await running(['sh', '-c', 'read x; echo out; echo err >&2'], { OpenStdin: true });
    using stream = await attach(name, 'stream=1&stderr=1&stdin=1');
    await stream.head();
    await stream.send('\n');
    assert.equal(await textOf(stream), 'stderr: err\n');
  });

  it('has no input to give without OpenStdin, and a half-close means nothing then', async () => {
    const name = await create(['sh', '-c', 'sleep 0.3; cat; echo end']);
    using stream = await attach(name, 'stream=1&stdout=1&stdin=1');
    await stream.head();
    await stream.send('to nobody\n');
    stream.halfClose();
    await session.ask(`POST /containers/${name}/start`);
    assert.equal(await textOf(stream), 'stdout: end\n');
  });

  it('keeps input and its end for the run to come', async () => {
    const name = await create(['sh', '-c', 'cat; echo end'], { OpenStdin: true, StdinOnce: true });
    using stream = await attach(name, 'stream=1&stdout=1&stdin=1');
    await stream.head();
    await stream.send('given\n');
    stream.halfClose();
    await session.ask(`POST /containers/${name}/start`);
    assert.equal(await textOf(stream), 'stdout: given\nstdout: end\n');
  });

  it('ends at a half-close to a terminal, and the container goes on', async () => {
    const name = await running(['cat'], { OpenStdin: true, StdinOnce: true, Tty: true });
    using stream = await attach(name, 'stream=1&stdout=1&stdin=1');
    await stream.head();
    stream.halfClose();
    assert.deepEqual(await Array.fromAsync(stream.rest()), []);
    assert.equal(await session.inspect(name, '{{.State.Running}}'), 'true');
  });

  it('ends the input of StdinOnce with a client that is gone', async () => {
    const name = await running(['cat'], { OpenStdin: true, StdinOnce: true });
    using stream = await attach(name, 'stream=1&stdout=1&stdin=1');
    await stream.head();
    stream[Symbol.dispose]();
    assert.match((await session.ask(`POST /containers/${name}/wait`)).body, /"StatusCode":0/);
  });

  it('is refused before the head, with its reason', async () => {
    const paused = await running(['sleep', '1000']);
    await session.ask(`POST /containers/${paused}/pause`);
    const cases = [
      { name: 'nosuch', query: 'stream=1', status: 404, words: 'No such container: nosuch' },
      { name: paused, query: 'stream=1&detachKeys=x-y', status: 400, words: 'Invalid detach keys (x-y) provided' },
      {
        ...{ name: paused, query: 'stream=1', status: 409 },
        words: `container ${paused} is paused, unpause the container before attach`,
      },
    ];
    for (const { name, query, status, words } of cases) {
      using stream = await attach(name, query);
      assert.equal((await stream.head()).status, status);
      assert.ok(String(await stream.read()).includes(words), words);
    }
  });
});
