import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeCertificates } from '@fairlead/testkit';
import { eventually } from '../acceptance/engines.fixture.ts';
import { connect, type ConnectOptions } from '../client.ts';
import { parseAddress } from './address.ts';
import { transportTo } from './transport-to.ts';

/** Enough of an engine: it pings, lists, and lets itself be followed, hijacked and waited for without ever saying anything. */
const answer: RequestListener = ({ url = '' }, response) => {
  if (url.includes('_ping')) response.setHeader('Api-Version', '1.44').end();
  else if (url.includes('/containers/json')) response.end('[]');
  else if (url.includes('/web/json')) response.end('{"Config":{"Tty":false,"OpenStdin":true}}');
  else if (url.includes('/events')) response.writeHead(200).flushHeaders();
};

describe('a client over real sockets', () => {
  let directory: string;
  let certificates: Awaited<ReturnType<typeof makeCertificates>>;
  const servers: Server[] = [];

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'fds-'));
    certificates = await makeCertificates(directory);
  });
  after(async () => {
    for (const server of servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
    rmSync(directory, { recursive: true });
  });

  const listen = async (server: Server, where: string | number): Promise<Server> => {
    servers.push(server);
    server.on('upgrade', (_, socket: Socket) => {
      socket
        .on('error', () => {})
        .on('end', () => socket.end())
        .resume();
      socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
    });
    if (typeof where === 'string') server.listen(where);
    else server.listen(where, '127.0.0.1');
    await once(server, 'listening');
    return server;
  };
  const portOf = (server: Server): number => (server.address() as AddressInfo).port;
  const ways: readonly { readonly name: string; readonly open: () => Promise<ConnectOptions> }[] = [
    {
      name: 'unix',
      open: async () => {
        const path = join(directory, 's');
        await listen(createServer(answer), path);
        return { host: `unix://${path}` };
      },
    },
    { name: 'tcp', open: async () => ({ host: `tcp://127.0.0.1:${portOf(await listen(createServer(answer), 0))}` }) },
    {
      name: 'tls',
      open: async () => {
        const file = (name: string): Buffer => readFileSync(join(certificates.server, name));
        const server = createTlsServer({ cert: file('cert.pem'), key: file('key.pem') }, answer);
        const port = portOf(await listen(server, 0));
        return { host: `tcp://127.0.0.1:${port}`, tls: { ca: file('ca.pem') } };
      },
    },
  ];

  for (const { name, open } of ways) {
    it(`frees every descriptor over ${name}: broken off, aborted, taken over, idle, in the middle of a question`, async () => {
      const options = { ...(await open()), env: {} };
      const before = sockets();
      {
        await using client = await connect(options);
        await Promise.all(Array.from({ length: 10 }, () => client.containers.list()));
        const caller = new AbortController();
        const events = client.events({ signal: caller.signal });
        const next = events.next();
        const silent = client.containers.inspect('silent', { signal: caller.signal });
        await sleep(20);
        caller.abort(new Error('I left'));
        await Promise.all([assert.rejects(next, /I left/), assert.rejects(silent, /I left/)]);
        void client.containers.inspect('silent').catch(() => {});
        await client.containers.attach('web', { tty: false, stdin: true });
        assert.ok(sockets() > before);
      }
      assert.ok(await eventually(() => sockets() === before), `${sockets()} sockets, ${before} before`);
    });
  }

  for (const name of ['tcp', 'tls']) {
    it(`keeps an idle connection over ${name} alive every 30 s`, async () => {
      const { host = '', tls } = (await ways.find((way) => way.name === name)?.open()) ?? {};
      const settings = tls === false ? undefined : tls;
      const transport = await transportTo(parseAddress(host), { tls: settings });
      const socket = await transport.dial(new AbortController().signal);
      try {
        assert.ok('localPort' in socket && typeof socket.localPort === 'number');
        const { timer, dueMs } = timerOf(socket.localPort);
        assert.equal(timer, 'keep-alive');
        assert.ok(dueMs <= 30_000 && dueMs > 0, `due in ${dueMs} ms`);
      } finally {
        socket.destroy();
      }
    });
  }

  it('takes a certificate only for the host that was dialled, and a common name for nothing', async () => {
    const ca = readFileSync(join(certificates.client, 'ca.pem'));
    const cases = [
      { directory: certificates.elsewhere, serverName: 'elsewhere', refused: undefined },
      { directory: certificates.elsewhere, serverName: undefined, refused: /Cannot connect .* is for another host: / },
      { directory: certificates.nameless, serverName: 'localhost', refused: /Cannot connect .*names no host/ },
    ];
    for (const { directory: home, serverName, refused } of cases) {
      const [cert, key] = ['cert.pem', 'key.pem'].map((file) => readFileSync(join(home, file)));
      const port = portOf(await listen(createTlsServer({ cert, key }, answer), 0));
      await using client = await connect({ host: `tcp://127.0.0.1:${port}`, tls: { ca, serverName }, env: {} });
      if (refused === undefined) await client.system.ping();
      else await assert.rejects(client.system.ping(), refused);
    }
  });

  it('says that a server without TLS does not speak it', async () => {
    const port = portOf(await listen(createServer(answer), 0));
    await using client = await connect({ host: `https://127.0.0.1:${port}`, env: {} });
    await assert.rejects(client.system.ping(), /Cannot connect .* does not speak TLS there/);
  });

  it('lets the process end while connections are idle', async () => {
    const path = join(directory, 'idle');
    await listen(createServer(answer), path);
    const script = `const { connect } = await import(${JSON.stringify(join(import.meta.dirname, '../index.ts'))});
      const client = await connect({ host: 'unix://${path}', env: {} });
      await Promise.all([1, 2, 3].map(() => client.containers.list()));`;
    assert.deepEqual(await runScript(script), { code: 0, stdout: '' });
  });

  it('says that it is not allowed, to a user who is not', { skip: process.getuid?.() !== 0 }, async () => {
    const path = join(directory, 'private');
    await listen(createServer(answer), path);
    chmodSync(path, 0o600);
    chmodSync(directory, 0o755);
    const script = `const { connect } = await import(${JSON.stringify(join(import.meta.dirname, '../index.ts'))});
      process.setgroups([]); process.setgid(65534); process.setuid(65534);
      const client = await connect({ host: 'unix://${path}', env: {} });
      await client.system.ping().catch((error) => process.stdout.write(error.errno + ': ' + error.message));`;
    const { stdout } = await runScript(script);
    assert.match(stdout, /^EACCES: Cannot connect to the engine at unix:\S+private: permission denied/);
  });
});

/** Open sockets of this process. */
function sockets(): number {
  return readdirSync('/proc/self/fd').filter((fd) => linkOf(`/proc/self/fd/${fd}`).startsWith('socket:')).length;
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // The directory's own descriptor is gone by now.
    return '';
  }
}

/** What the kernel waits for on a TCP connection. Source: proc_net_tcp.txt; the time is in ticks of 10 ms. */
function timerOf(localPort: number): { readonly timer: string; readonly dueMs: number } {
  const hex = localPort.toString(16).toUpperCase().padStart(4, '0');
  const line = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .find((row) => row.trim().split(/\s+/)[1]?.endsWith(`:${hex}`) === true);
  const [kind = '', due = ''] = (line?.trim().split(/\s+/)[5] ?? '').split(':');
  return { timer: kind === '02' ? 'keep-alive' : kind, dueMs: Number.parseInt(due, 16) * 10 };
}

async function runScript(script: string): Promise<{ readonly code: unknown; readonly stdout: string }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  const ended = once(child, 'exit');
  for await (const chunk of child.stdout) stdout += String(chunk);
  const [code] = await ended;
  return { code, stdout };
}
