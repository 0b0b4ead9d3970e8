import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { connect as dial, createServer as createTcpServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import type { Duplex } from 'node:stream';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type Client } from '@fairlead/client';
import type { FleetRole } from '@fairlead/protocol/fleet';
import { silentFleetLog } from '../../lib/log.ts';
import { accessOf } from './access.ts';
import { EngineGateway, type GatewayDeps } from './engine-gateway.ts';

describe('accessOf', () => {
  const cases = [
    ['GET', '/v1.44/containers/json?all=1', 'view'],
    ['GET', '/containers/web/logs?follow=1', 'view'],
    ['POST', '/v1.44/containers/web/wait', 'view'],
    ['POST', '/v1.44/containers/web/stop?t=5', 'operate'],
    ['POST', '/v1.44/containers/create?name=x', 'operate'],
    ['DELETE', '/containers/web', 'operate'],
    ['POST', '/v1.44/containers/web/exec', 'exec'],
    ['GET', '/containers/web/archive?path=/etc/shadow', 'exec'],
    ['POST', '/containers/web/attach', 'exec'],
    ['GET', '/images/library/busybox:latest/json', 'view'],
    ['POST', '/images/create?fromImage=busybox', 'operate'],
  ] as const;
  for (const [method, target, needs] of cases) {
    it(`${method} ${target} takes the role ${needs}`, () => assert.equal(accessOf(method, target)?.needs, needs));
  }

  const strangers = [
    ['GET', '/'],
    ['POST', '/libpod/containers/create'],
    ['POST', '/swarm/init'],
    ['GET', '/images/../containers/web/archive/json'],
    ['GET', '/images/%2e%2e/containers/web/json'],
    ['GET', '/images/x%2F..%2Fy/json'],
    ['GET', '//containers/json'],
    ['PUT', '/containers/web/stop'],
  ] as const;
  for (const [method, target] of strangers) {
    it(`${method} ${target} does not pass`, () => assert.equal(accessOf(method, target), undefined));
  }
});

describe('EngineGateway', () => {
  const home = mkdtempSync(join(tmpdir(), 'gateway-'));
  const path = join(home, 'engine.sock');
  const asked: string[] = [];
  const aborted = Promise.withResolvers<void>();
  let engine: Server;

  before(async () => {
    engine = scriptedEngine(asked, () => aborted.resolve());
    engine.listen(path);
    await once(engine, 'listening');
  });
  after(() => {
    engine.close();
    rmSync(home, { recursive: true });
  });

  /** A client as if it had come through the fleet, with this role. */
  async function through(
    role: FleetRole,
    deny: GatewayDeps['deny'] = async () => undefined,
    enginePath = path,
  ): Promise<Through> {
    const gateway = new EngineGateway({
      dial: async () => dial({ path: enginePath, allowHalfOpen: true }),
      deny,
      log: silentFleetLog,
    });
    const front = createServer().on('connection', () => {});
    const frontPath = join(home, `front-${Math.random()}.sock`);
    front.removeAllListeners('connection');
    const taken: Socket[] = [];
    front.on('connection', (socket) => {
      taken.push(socket);
      gateway.serve(socket, { name: 'mia', role });
    });
    front.listen(frontPath);
    await once(front, 'listening');
    const client = await connect({ host: `unix://${frontPath}`, env: {} });
    return {
      client,
      taken,
      async [Symbol.asyncDispose]() {
        await client[Symbol.asyncDispose]();
        await gateway[Symbol.asyncDispose]();
        front.close();
      },
    };
  }

  it('passes requests and answers as they are', async () => {
    await using come = await through('view');
    assert.deepEqual(await come.client.containers.list({ all: true }), [{ Id: 'a' }]);
  });

  it('refuses by role before the engine is asked', async () => {
    await using come = await through('view');
    await assert.rejects(come.client.containers.start('web'), /mia may view; this takes the role operate/);
    assert.ok(!asked.some((line) => line.includes('/start')));
  });

  it('refuses by policy, which sees what is to be created', async () => {
    await using come = await through('admin', async (access, _, body) => {
      if (access.verb !== 'create') return undefined;
      return JSON.stringify(body).includes('"Privileged":true')
        ? { rule: 'denyPrivileged', message: 'privileged is not allowed here' }
        : undefined;
    });
    const { containers } = come.client;
    await assert.rejects(
      containers.create({ Image: 'busybox', HostConfig: { Privileged: true } }),
      /policy \(denyPrivileged\): privileged is not allowed here/,
    );
    assert.deepEqual(await containers.create({ Image: 'busybox' }), { Id: 'made', Warnings: [] });
  });

  it('carries a hijacked connection both ways, half-close included', async () => {
    await using come = await through('exec');
    await using session = await come.client.containers.attach('web', {
      stdin: true,
      stdout: true,
      stderr: true,
      tty: true,
    });
    await session.write(Buffer.from('hello'));
    session.endInput();
    const heard: Uint8Array[] = [];
    for await (const { bytes } of session.output()) heard.push(bytes);
    assert.equal(Buffer.concat(heard).toString(), 'HELLO');
  });

  /** Sends a request that asks for an upgrade, hears all that comes, and sees the gateway close what this side does not. */
  async function heardOf({ client, taken }: Through, line: string, rest: string): Promise<string> {
    const connection = await client.dial(AbortSignal.timeout(30_000));
    connection.write(`${line} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n${rest}`);
    const heard = await textOf(connection);
    const theirs = taken.at(-1);
    assert.ok(theirs !== undefined);
    if (!theirs.destroyed) await once(theirs, 'close');
    connection.destroy();
    return heard;
  }

  it('judges what is no stream as ever when it asks for an upgrade', async () => {
    await using come = await through('operate');
    const body = '{"HostConfig":{"Privileged":true}}';
    const connection = await come.client.dial(AbortSignal.timeout(30_000));
    const heard = textOf(connection);
    const upgrade = 'Connection: Upgrade\r\nUpgrade: h2c';
    connection.write(
      `POST /containers/create?asked=upgrade HTTP/1.1\r\nHost: x\r\n${upgrade}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await once(connection, 'data');
    connection.write('GET /_ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    assert.match(await heard, /^HTTP\/1\.1 403 [^]*takes the role admin[^]*HTTP\/1\.1 200 OK[^]*"OK"/);
    assert.ok(!asked.some((line) => line.includes('asked=upgrade')));
  });

  it('passes nothing behind an upgrade that the engine refused, and hangs up', async () => {
    await using come = await through('exec');
    const behind = '\r\nPOST /containers/behind/start HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n';
    const heard = await heardOf(come, 'POST /containers/gone/attach?stream=1', behind);
    assert.match(heard, /^HTTP\/1\.1 409 Conflict\r\n[^]*container gone is not running/);
    assert.ok(!asked.some((line) => line.includes('/behind/')));
  });

  it('passes nothing behind a detached exec, which is answered 200 and is no stream', async () => {
    await using come = await through('exec');
    const body = '{"Detach":true}';
    const behind = 'POST /containers/behind/start HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n';
    const connection = await come.client.dial(AbortSignal.timeout(30_000));
    connection.write(
      `POST /exec/e1/start HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}${behind}`,
    );
    const heard = await textOf(connection);
    assert.match(heard, /^HTTP\/1\.1 200 OK\r\n[^]*Connection: close\r\n/);
    assert.equal(heard.split('HTTP/1.1').length, 2, heard);
    assert.ok(!asked.some((line) => line.includes('/behind/')));
  });

  it('refuses a body of unknown length on a connection that is to be taken', async () => {
    await using come = await through('exec');
    const heard = await heardOf(come, 'POST /exec/e1/start', 'Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n');
    assert.match(heard, /^HTTP\/1\.1 400 [^]*how long its body is/);
  });

  it('takes no more of a body than the engine takes', async () => {
    using undo = new DisposableStack();
    const deafPath = join(home, 'deaf.sock');
    const deaf = createTcpServer({ pauseOnConnect: true }, (socket) => undo.defer(() => void socket.destroy()));
    undo.defer(() => deaf.close());
    deaf.listen(deafPath);
    await once(deaf, 'listening');
    await using come = await through('exec', undefined, deafPath);
    const connection = await come.client.dial(AbortSignal.timeout(30_000));
    undo.defer(() => void connection.on('error', () => {}).destroy());
    const length = 64 * 1024 * 1024;
    connection.write(`POST /exec/e1/start HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`);
    connection.write(Buffer.alloc(length));
    const bytesTaken = (): number => come.taken.at(-1)?.bytesRead ?? 0;
    for (let before = 0; before !== bytesTaken() || before === 0;) {
      before = bytesTaken();
      await sleep(200);
    }
    assert.ok(bytesTaken() < 4 * 1024 * 1024, `${bytesTaken()} bytes were taken`);
  });

  it('lets the engine see that the caller has hung up', async () => {
    await using come = await through('view');
    const leaving = new AbortController();
    const wait = come.client.containers.wait('web', { signal: leaving.signal });
    while (!asked.some((line) => line.includes('/wait'))) await new Promise((resolve) => setTimeout(resolve, 10));
    leaving.abort(new Error('had enough'));
    await assert.rejects(wait, /had enough/);
    await aborted.promise;
  });

  it('tells that the engine cannot be reached', async () => {
    const gateway = new EngineGateway({
      dial: () => Promise.reject(new Error('Cannot connect to the engine')),
      deny: async () => undefined,
      log: silentFleetLog,
    });
    const front = createServer();
    front.removeAllListeners('connection');
    front.on('connection', (socket) => gateway.serve(socket, { name: 'mia', role: 'admin' }));
    front.listen(join(home, 'dead.sock'));
    await once(front, 'listening');
    await using client = await connect({ host: `unix://${join(home, 'dead.sock')}`, env: {}, apiVersion: '1.44' });
    await assert.rejects(client.containers.list(), /Cannot connect to the engine/);
    front.close();
    await gateway[Symbol.asyncDispose]();
  });
});

interface Through extends AsyncDisposable {
  readonly client: Client;
  /** The connections that the gateway was given, the newest last. */
  readonly taken: readonly Socket[];
}

/** Answers a few rows as an engine does. */
function scriptedEngine(asked: string[], waitAborted: () => void): Server {
  const server = createServer((request, answer) => {
    asked.push(`${request.method} ${request.url}`);
    const json = (status: number, document: unknown): void => {
      answer.writeHead(status, { 'Content-Type': 'application/json', 'Api-Version': '1.44' });
      answer.end(JSON.stringify(document));
    };
    if (request.url === '/_ping') json(200, 'OK');
    else if (request.url?.includes('/containers/json') === true) json(200, [{ Id: 'a' }]);
    else if (request.url?.includes('/create') === true) whole(request, () => json(201, { Id: 'made', Warnings: [] }));
    else if (request.url?.includes('/exec/') === true) request.resume().once('end', () => answer.end());
    else if (request.url?.includes('/wait') === true) {
      answer.writeHead(200);
      answer.flushHeaders();
      answer.once('close', waitAborted);
    } else json(404, { message: 'page not found' });
  });
  server.on('upgrade', (request, socket) => {
    if (request.url?.includes('/gone/') === true) {
      const body = '{"message":"container gone is not running"}';
      socket.end(`HTTP/1.1 409 Conflict\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      return;
    }
    socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
    const heard: Buffer[] = [];
    socket.on('data', (bytes: Buffer) => heard.push(bytes));
    socket.on('end', () => socket.end(Buffer.concat(heard).toString().toUpperCase()));
  });
  return server;
}

async function textOf(connection: Duplex): Promise<string> {
  const heard: Uint8Array[] = [];
  connection.on('data', (bytes: Uint8Array) => heard.push(bytes));
  await once(connection, 'end');
  return Buffer.concat(heard).toString();
}

function whole(request: IncomingMessage, then: () => void): void {
  request.resume().once('end', then);
}
