import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { FAIRLEAD_ALONE, sessions } from '../sessions.ts';

/** Says `hello` to whoever connects to port 80. */
const GREETS: readonly string[] = ['nc', '-ll', '-p', '80', '-e', 'echo', 'hello'];
/** Sends back what comes to port 53. */
const ECHOES_UDP =
  "const s = require('dgram').createSocket('udp4').bind(53); s.on('message', (m, { port, address }) => s.send(m, port, address))";
/** A server is there when its container runs, or a moment later. */
const SERVES_WITHIN_MS = 3_000;

/** Fairlead alone: the dockerd of these sessions has no network, so that it leaves the host's as it is. */
sessions(
  'published ports',
  (session) => {
    it('-p is reached at loopback, at the host’s address and from other containers, and told by port, ps and inspect', async () => {
      const port = await freePort();
      const name = await session.background(['-p', `${port}:80`], GREETS);
      assert.equal(await greeting('127.0.0.1', port), 'hello\n');
      assert.equal(await greeting(hostAddress(), port), 'hello\n');
      const asked = await session.docker.run(['run', '--rm', 'busybox', 'nc', '-w', '2', hostAddress(), String(port)]);
      assert.equal(asked.stdout, 'hello\n');
      assert.equal(await session.docker.ok('port', name), `80/tcp -> 0.0.0.0:${port}`);
      assert.equal(await session.docker.ok('port', name, '80'), `0.0.0.0:${port}`);
      const shown = await session.docker.ok('ps', '--filter', `name=^/${name}$`, '--format', '{{.Ports}}');
      assert.equal(shown, `0.0.0.0:${port}->80/tcp`);
      const ports = JSON.parse(await session.inspect(name, '{{json .NetworkSettings.Ports}}'));
      assert.deepEqual(ports, { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: String(port) }] });
      await session.docker.ok('stop', '-t', '0', name);
      assert.deepEqual(JSON.parse(await session.inspect(name, '{{json .NetworkSettings.Ports}}')), {});
      await assert.rejects(greeting('127.0.0.1', port), { code: 'ECONNREFUSED' });
    });

    it('-p with an address is reached there and nowhere else', async () => {
      const port = await freePort();
      const name = await session.background(['-p', `127.0.0.1:${port}:80`], GREETS);
      assert.equal(await greeting('127.0.0.1', port), 'hello\n');
      assert.equal(await session.docker.ok('port', name), `80/tcp -> 127.0.0.1:${port}`);
      await assert.rejects(greeting(hostAddress(), port), { code: 'ECONNREFUSED' });
    });

    it('-p takes UDP', async () => {
      const port = await freePort();
      const name = await session.background(['-p', `${port}:53/udp`]);
      assert.equal(await session.docker.ok('port', name), `53/udp -> 0.0.0.0:${port}`);
      // busybox has no server for UDP, so one of the host's runs where the container is.
      const namespace = `--net=/proc/${await session.inspect(name, '{{.State.Pid}}')}/ns/net`;
      const server = spawn('nsenter', [namespace, process.execPath, '-e', ECHOES_UDP], { stdio: 'ignore' });
      try {
        assert.equal(await echoed(port), 'ping');
      } finally {
        server.kill('SIGKILL');
        await once(server, 'exit');
      }
    });

    it('-p without a port of the host, and -P for what is exposed, take free ones', async () => {
      const name = await session.background(['-P', '--expose', '80', '--expose', '53/udp', '-p', '81'], GREETS);
      const ports = JSON.parse(await session.inspect(name, '{{json .NetworkSettings.Ports}}')) as Ports;
      assert.deepEqual(Object.keys(ports), ['53/udp', '80/tcp', '81/tcp']);
      const taken = Object.values(ports).flatMap((bindings) =>
        (bindings ?? []).map(({ HostPort }) => Number(HostPort)),
      );
      assert.equal(taken.length, 3);
      assert.ok(taken.every((port) => port >= 1024 && port <= 65_535));
      assert.equal(await greeting('127.0.0.1', Number(ports['80/tcp']?.[0]?.HostPort)), 'hello\n');
    });

    it('a port that is exposed and not published is shown without a place', async () => {
      const name = await session.background(['--expose', '80']);
      assert.equal(await session.docker.ok('ps', '--filter', `name=^/${name}$`, '--format', '{{.Ports}}'), '80/tcp');
      assert.deepEqual(JSON.parse(await session.inspect(name, '{{json .NetworkSettings.Ports}}')), { '80/tcp': null });
      assert.equal(await session.docker.ok('port', name), '');
    });

    it('ps finds containers by what they publish and expose', async () => {
      const published = await session.background(['-p', '7001', '--label', 'of=ports']);
      const exposed = await session.background(['--expose', '7002', '--label', 'of=ports']);
      const found = async (filter: string): Promise<string> =>
        await session.docker.ok('ps', '--filter', 'label=of=ports', '--filter', filter, '--format', '{{.Names}}');
      const port = (await session.docker.ok('port', published, '7001')).split(':').at(-1) ?? '';
      assert.equal(await found(`publish=${port}`), published);
      assert.equal(await found(`publish=${port}-${port}/tcp`), published);
      assert.equal(await found(`publish=${port}/udp`), '');
      assert.equal(await found('publish=7001'), '');
      assert.equal(await found('expose=7002'), exposed);
      const { exitCode, stderr } = await session.docker.run(['ps', '--filter', 'publish=x']);
      assert.equal(exitCode, 1);
      assert.match(stderr, /error while looking up for publish x/);
    });

    it('a port that another container has fails the start, and the container stays as it was', async () => {
      const [port, name] = [await freePort(), session.name()];
      await session.background(['-p', `${port}:80`]);
      const { exitCode, stderr } = await session.docker.run([
        'run',
        '--name',
        name,
        '-p',
        `${port}:80`,
        'busybox',
        'true',
      ]);
      assert.equal(exitCode, 125);
      const { Status, ExitCode, Error: told } = JSON.parse(await session.inspect(name, '{{json .State}}')) as State;
      assert.deepEqual([Status, ExitCode], ['created', 128]);
      const reason = `Bind for 0.0.0.0:${port} failed: port is already allocated`;
      const where = `failed to set up container networking: driver failed programming external connectivity on endpoint ${name}`;
      assert.ok(told.startsWith(`${where} (`) && told.endsWith(`): ${reason}`), told);
      assert.ok(stderr.includes(told), stderr);
    });

    it('a port that a program of the host has fails the start, until the program leaves it', async () => {
      const [port, name] = [await freePort(), session.name()];
      const server = createServer().listen(port, '0.0.0.0');
      await once(server, 'listening');
      const { exitCode, stderr } = await session.docker.run([
        'run',
        '--name',
        name,
        '-p',
        `${port}:80`,
        'busybox',
        'true',
      ]);
      server.close();
      await once(server, 'close');
      assert.equal(exitCode, 125);
      assert.match(
        stderr,
        new RegExp(`failed to bind host port for 0\\.0\\.0\\.0:${port}:[0-9.]+:80/tcp: address already in use`),
      );
      await session.docker.ok('start', name);
    });

    it('all of a range are given out, one for each container', async () => {
      const first = await freePort();
      const ports = [];
      for (let count = 0; count < 2; count += 1) {
        const name = await session.background(['-p', `${first}-${first + 4}:80`]);
        ports.push(Number((await session.docker.ok('port', name, '80')).split(':')[1]));
      }
      assert.notEqual(ports[0], ports[1]);
      assert.ok(ports.every((port) => port >= first && port <= first + 4));
    });

    it('a restart keeps a port that was asked for', async () => {
      const port = await freePort();
      const name = await session.background(['-p', `${port}:80`], GREETS);
      await session.docker.ok('restart', '-t', '0', name);
      assert.equal(await greeting('127.0.0.1', port), 'hello\n');
    });

    it('are discarded in the host’s network, with a warning', async () => {
      const { exitCode, stderr } = await session.docker.run([
        'run',
        '--rm',
        '--network',
        'host',
        '-p',
        '8080:80',
        'busybox',
        'true',
      ]);
      assert.equal(exitCode, 0);
      assert.match(stderr, /Published ports are discarded when using host network mode/);
    });
  },
  { kinds: FAIRLEAD_ALONE },
);

sessions(
  'published ports, when the engine is killed',
  (session) => {
    it('stay reachable without it and after it is back, and are given back with the container', async () => {
      const port = await freePort();
      const name = await session.background(['-p', `${port}:80`], GREETS);
      assert.equal(await greeting('127.0.0.1', port), 'hello\n');
      await session.engine.kill();
      assert.equal(await greeting('127.0.0.1', port), 'hello\n');
      await session.engine.restart();
      assert.equal(await greeting('127.0.0.1', port), 'hello\n');
      assert.equal(await session.docker.ok('port', name), `80/tcp -> 0.0.0.0:${port}`);
      const [error] = await once(createServer().listen(port, '127.0.0.1'), 'error');
      assert.equal(error.code, 'EADDRINUSE');
      await session.docker.ok('rm', '-f', name);
      const server = createServer().listen(port, '127.0.0.1');
      await once(server, 'listening');
      assert.equal(await connects(port), true);
      server.close();
    });
  },
  { kinds: FAIRLEAD_ALONE },
);

type Ports = Readonly<Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[] | null>>;

interface State {
  readonly Status: string;
  readonly ExitCode: number;
  readonly Error: string;
}

/** One that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '0.0.0.0');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** An address of the host that is not its loopback. */
function hostAddress(): string {
  const found = Object.entries(networkInterfaces()).flatMap(([name, addresses]) =>
    name.startsWith('fl-') ? [] : (addresses ?? []).filter(({ family, internal }) => family === 'IPv4' && !internal),
  );
  return found[0]?.address ?? '127.0.0.1';
}

/** What a server says, once it is up. @throws an errno error when there is none in time. */
async function greeting(address: string, port: number): Promise<string> {
  const until = performance.now() + SERVES_WITHIN_MS;
  for (;;) {
    try {
      let said = '';
      for await (const chunk of connect(port, address).setEncoding('utf8')) said += String(chunk);
      return said;
    } catch (error) {
      if (performance.now() > until) throw error;
      await sleep(50);
    }
  }
}

async function connects(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.destroy();
  return true;
}

/** What comes back from a UDP server, once it is up. */
async function echoed(port: number): Promise<string> {
  const until = performance.now() + SERVES_WITHIN_MS;
  for (;;) {
    const socket = createSocket('udp4');
    const answered = once(socket, 'message').then(([bytes]) => String(bytes));
    socket.send('ping', port, '127.0.0.1');
    const answer = await Promise.race([answered.catch(() => ''), sleep(300, '')]);
    socket.close();
    if (answer !== '') return answer;
    if (performance.now() > until) throw new Error(`nothing echoes at port ${port}`);
  }
}
