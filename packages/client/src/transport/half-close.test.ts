import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { makeCertificates } from '@fairlead/testkit';
import { parseAddress } from './address.ts';
import { HttpConnections } from './http-connections.ts';
import { processStream } from './process-stream.ts';
import { transportTo } from './transport-to.ts';

const never = new AbortController().signal;
const HEADS = {
  101: 'HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n',
  200: 'HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n',
} as const;

/** Reads a request, gives the connection away, reads what comes to its end, and only then answers. */
async function serve(socket: Socket): Promise<void> {
  let received = '';
  const chunks: AsyncIterable<Buffer> = socket.iterator({ destroyOnReturn: false });
  for await (const bytes of chunks) {
    received += bytes.toString();
    const end = received.indexOf('\r\n\r\n');
    if (end === -1) continue;
    if (!socket.writable) return;
    if (received.startsWith('POST /101')) socket.write(HEADS[101]);
    else if (received.startsWith('POST /200')) socket.write(HEADS[200]);
    received = `POSTED ${received.slice(end + 4)}`;
  }
  socket.end(`${received.replace(/^POSTED /, 'got ')}, and goodbye`);
}

describe('a connection that was taken over', () => {
  let directory: string;
  let certificates: string;
  const servers: Server[] = [];

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'half-'));
    certificates = (await makeCertificates(directory)).server;
  });
  after(async () => {
    for (const server of servers) await new Promise((resolve) => server.close(resolve));
    rmSync(directory, { recursive: true });
  });

  const onConnection = (socket: Socket): void => {
    socket.on('error', () => {});
    serve(socket).catch(() => socket.destroy());
  };
  const listen = async (server: Server, where?: string): Promise<string> => {
    servers.push(server);
    if (where === undefined) server.listen(0, '127.0.0.1');
    else server.listen(where);
    await once(server, 'listening');
    return where === undefined ? `tcp://127.0.0.1:${(server.address() as AddressInfo).port}` : `unix://${where}`;
  };
  const file = (name: string): Buffer => readFileSync(join(certificates, name));
  const ways = [
    { name: 'unix', open: () => listen(createServer({ allowHalfOpen: true }, onConnection), join(directory, 's')) },
    { name: 'tcp', open: () => listen(createServer({ allowHalfOpen: true }, onConnection)) },
    {
      name: 'tls',
      open: () =>
        listen(createTlsServer({ allowHalfOpen: true, cert: file('cert.pem'), key: file('key.pem') }, onConnection)),
    },
  ];
  for (const { name, open } of ways) {
    it(`says its end over ${name} and reads on, behind a 101 and behind a 200`, async () => {
      const tls = name === 'tls' ? { ca: file('ca.pem') } : undefined;
      const transport = await transportTo(parseAddress(await open()), { tls });
      await using connections = new HttpConnections(transport);
      for (const status of [101, 200]) {
        const request = { method: 'POST', path: `/${status}`, headers: { Host: 'docker', 'Content-Length': 0 } };
        const answer = await connections.hijack({ ...request, body: undefined }, never);
        assert.ok('output' in answer);
        assert.equal(answer.status, status);
        answer.input.write('hel');
        answer.input.end('lo');
        assert.equal(await text(answer.output), 'got hello, and goodbye');
      }
    });
  }
});

describe('processStream', () => {
  const open = (program: string): { readonly stream: Duplex; readonly pid: number } => {
    const child = spawn('sh', ['-c', program], { stdio: 'pipe' });
    const { stream } = processStream(
      child,
      (end, stderr) => new Error(`ended with ${end.code ?? end.signal}: ${stderr}`),
    );
    return { stream, pid: child.pid ?? 0 };
  };
  const isThere = (pid: number): boolean => {
    try {
      return process.kill(pid, 0);
    } catch {
      // ESRCH: it is reaped.
      return false;
    }
  };

  it('ends the input of the program and reads on', async () => {
    const { stream, pid } = open('cat; echo bye');
    stream.end('hello ');
    assert.equal(await text(stream), 'hello bye\n');
    if (!stream.closed) await once(stream, 'close');
    assert.equal(isThere(pid), false);
  });

  it('takes an end for an end only when the program has ended well', async () => {
    const { stream, pid } = open('echo half an answer; echo link is down >&2; exit 255');
    await assert.rejects(text(stream), { message: 'ended with 255: link is down' });
    assert.equal(isThere(pid), false);
  });

  it('ends the program when it is destroyed, and is closed when that is reaped', async () => {
    const { stream, pid } = open('exec sleep 1000');
    stream.destroy();
    await once(stream, 'close');
    assert.equal(isThere(pid), false);
  });

  it('makes a program that writes too fast wait', async () => {
    const { stream } = open('head -c 20000000 /dev/zero');
    const chunks: AsyncIterable<Buffer> = stream;
    let bytes = 0;
    for await (const chunk of chunks) {
      bytes += chunk.length;
      assert.ok(stream.readableLength <= 1024 * 1024);
    }
    assert.equal(bytes, 20_000_000);
  });

  it('fails when there is no such program', async () => {
    const child = spawn('/nosuch/program', [], { stdio: 'pipe' });
    const { stream } = processStream(child, ({ error }) => new Error('no program', { cause: error }));
    await assert.rejects(text(stream), { message: 'no program' });
  });
});
