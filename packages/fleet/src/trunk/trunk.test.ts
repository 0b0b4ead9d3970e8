import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, connect as connectSocket, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { connect } from '@fairlead/client';
import { decodeFrame, encodeFrame, hostSubjects, sessionRequestSchema } from '@fairlead/protocol/fleet';
import { FaultProxy, makeCertificates } from '@fairlead/testkit';
import * as v from 'valibot';
import { EngineSide } from '../agent/engine/engine-side.ts';
import type { HubAddress } from '../agent/identity/hub-http.ts';
import type { Identity } from '../agent/identity/identity.ts';
import { dialTrunk } from '../agent/link/dial-hub.ts';
import { AgentSessions } from '../agent/sessions/agent-sessions.ts';
import { AgentTrunks } from '../agent/sessions/agent-trunks.ts';
import { Recordings } from '../agent/sessions/recordings.ts';
import { HubPlace, type WireAgent } from '../hub/hub-place.fixture.ts';
import { StreamCarrier } from '../hub/sessions/stream-carrier.ts';
import { WebSocketCarrier } from '../hub/sessions/web-socket-carrier.ts';
import { silentFleetLog } from '../lib/log.ts';
import { Trunk } from './trunk.ts';

const CHANNELS = ['a', 'b'].map((letter) => letter.repeat(26)) as [string, string];

describe('Trunk', () => {
  it('gives each channel its own frames in order, and those of none to whoever takes strays', async () => {
    await using pair = await socketPair();
    const strays: string[] = [];
    using far = new Trunk(pair.sockets[0], { id: 'far' });
    using near = new Trunk(pair.sockets[1], { id: 'near', stray: ({ channel }) => void strays.push(channel) });
    const came: string[] = [];
    const done = Promise.withResolvers<void>();
    using _ = near.open(CHANNELS[0], {
      receive: (frame) => {
        const { kind, ...rest } = decodeFrame(frame);
        came.push(kind === 'bytes' && 'bytes' in rest ? Buffer.from(rest.bytes).toString() : kind);
        if (kind === 'exit') done.resolve();
      },
      lost: () => {},
    });
    const say = (channel: string, text: string): void =>
      far.send(channel, encodeFrame({ kind: 'bytes', stream: 1, offset: 0, bytes: Buffer.from(text) }));
    say(CHANNELS[0], 'one');
    say(CHANNELS[1], 'nobody’s');
    say(CHANNELS[0], 'two');
    far.send(CHANNELS[0], encodeFrame({ kind: 'exit', offset: 6, exitCode: 0, reason: '' }));
    await done.promise;
    assert.deepEqual(came, ['one', 'two', 'exit']);
    assert.deepEqual(strays, [CHANNELS[1]]);
  });

  it('tells its channels when it ends: cut, silent, or speaking nonsense', async () => {
    const ends: readonly (readonly [string, (far: Socket) => void])[] = [
      ['cut', (far) => far.destroy()],
      ['silent', (far) => far.pause()],
      ['nonsense', (far) => far.write(Buffer.alloc(64, 0xff))],
    ];
    for (const [how, end] of ends) {
      await using pair = await socketPair();
      const trunk = new Trunk(pair.sockets[0], { id: how, pulse: { pingMs: 10, silentMs: 100 } });
      const lost = Promise.withResolvers<void>();
      trunk.open(CHANNELS[0], { receive: () => {}, lost: lost.resolve });
      end(pair.sockets[1]);
      await lost.promise;
      assert.deepEqual([trunk.isOpen, trunk.isIdle], [false, true], how);
      trunk.send(CHANNELS[0], encodeFrame({ kind: 'ping' }));
    }
  });
});

describe('a caller’s connection at the hub', () => {
  for (const [over, make] of [
    ['a byte stream', (socket: Socket) => new StreamCarrier(socket)],
    ['a WebSocket', (socket: Socket) => new WebSocketCarrier(socket)],
  ] as const) {
    it(`is cut, over ${over}, when it takes credit and does not read`, async () => {
      await using pair = await socketPair();
      const [near, far] = pair.sockets;
      far.pause();
      const carrier = make(near);
      const frame = encodeFrame({ kind: 'bytes', stream: 1, offset: 0, bytes: new Uint8Array(32 * 1024) });
      let most = 0;
      for (let sent = 0; sent < 2_000 && !near.destroyed; sent += 1) {
        carrier.send(frame);
        most = Math.max(most, near.writableLength);
        if (sent % 8 === 0) await turn();
      }
      assert.ok(near.destroyed);
      assert.ok(most < 9 * 1024 * 1024, `${most} bytes were held`);
    });
  }

  it('is read no further while the trunk is full', async () => {
    await using pair = await socketPair();
    const [near, far] = pair.sockets;
    far.pause();
    using trunk = new Trunk(near, { id: 'full' });
    const frame = encodeFrame({ kind: 'bytes', stream: 0, offset: 0, bytes: new Uint8Array(32 * 1024) });
    for (let sent = 0; sent < 2_000 && trunk.room === undefined; sent += 1) {
      trunk.send(CHANNELS[0], frame);
      if (sent % 8 === 0) await turn();
    }
    const { room } = trunk;
    assert.ok(room !== undefined && near.writableLength < 9 * 1024 * 1024, `${near.writableLength} bytes were held`);
    far.resume();
    await room;
    assert.equal(trunk.room, undefined);
  });
});

describe('sessions with a trunk', () => {
  let place: HubPlace;
  before(async () => {
    place = await HubPlace.open();
  });
  after(async () => await place[Symbol.asyncDispose]());

  it('carry both directions whole while trunk and viewer are cut again and again, on whichever way there is', async () => {
    await using host = await TunnelHost.open(place, 'cut', { serve: (connection) => void connection.pipe(connection) });
    const bytes = randomBytes(24_000_000);
    const connection = await host.dial();
    const heard = digest(connection);
    const over = new AbortController();
    const cutting = cutNowAndThen(host, over.signal);
    for (let at = 0; at < bytes.length; at += 100_000) {
      if (!connection.write(bytes.subarray(at, at + 100_000))) await once(connection, 'drain');
      await sleep(10);
    }
    connection.end();
    assert.equal(await heard, createHash('sha256').update(bytes).digest('hex'));
    over.abort();
    await cutting;
    const { onTrunk, onNats } = host.joined;
    assert.ok(onTrunk > 1 && onNats > 1, `${onTrunk} channels on trunks, ${onNats} on NATS`);
  });

  it('are on one over TLS, too', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'fairlead-trunk-'));
    await using undo = new AsyncDisposableStack();
    undo.defer(() => rm(directory, { recursive: true, force: true }));
    const { server } = await makeCertificates(directory);
    const [cert, key, ca] = await Promise.all(
      ['cert.pem', 'key.pem', 'ca.pem'].map((name) => readFile(join(server, name), 'utf8')),
    );
    assert.ok(cert !== undefined && key !== undefined);
    const listen = { host: '127.0.0.1', port: 0, tls: { cert, key } };
    const safe = undo.use(await HubPlace.open({ listen }));
    const bytes = randomBytes(3_000_000);
    const host = undo.use(
      await TunnelHost.open(safe, 'safe', { serve: (connection) => void connection.end(bytes), ca }),
    );
    assert.equal(await digest(await host.dial()), createHash('sha256').update(bytes).digest('hex'));
    assert.deepEqual(host.joined, { onTrunk: 1, onNats: 0 });
  });

  it('go by NATS where the hub cannot be dialled', async () => {
    await using host = await TunnelHost.open(place, 'far', { serve: (connection) => void connection.end('all of it') });
    using _ = host.proxy.refuse();
    assert.equal(await text(await host.dial()), 'all of it');
    assert.deepEqual(host.joined, { onTrunk: 0, onNats: 1 });
  });

  it('make a writer wait for a viewer that does not read, and nobody else', async () => {
    const taken = { bytes: 0 };
    const push = (connection: Duplex): void => {
      connection.write(new Uint8Array(64 * 1024), (error) => {
        taken.bytes += 64 * 1024;
        if (error === undefined || error === null) push(connection);
      });
    };
    await using host = await TunnelHost.open(place, 'slow', { serve: push });
    await host.dial();
    for (let before = 0; before !== taken.bytes || before === 0;) {
      before = taken.bytes;
      await sleep(300);
    }
    assert.ok(taken.bytes < 6 * 1024 * 1024, `${taken.bytes} bytes were taken`);
    // Another one on the same trunk waits for nobody.
    let read = 0;
    for await (const bytes of await host.dial()) {
      read += (bytes as Uint8Array).length;
      if (read > 20_000_000) break;
    }
    assert.deepEqual(host.joined, { onTrunk: 2, onNats: 0 });
  });

  it('go on by NATS when the trunk is only half there, within seconds', async () => {
    await using host = await TunnelHost.open(place, 'half', {
      serve: (connection) => void connection.pipe(connection),
    });
    const connection = await host.dial();
    connection.write('before');
    assert.equal(String((await once(connection, 'data'))[0]), 'before');
    using _ = host.proxy.swallow('to-server', 'to-client');
    connection.write('after');
    const heard = await Promise.race([once(connection, 'data'), sleep(30_000, ['too late'], { ref: false })]);
    assert.equal(String(heard[0]), 'after');
    assert.ok(host.joined.onNats > 0);
  });

  it('are none of another host’s, whatever it says on its own trunk, and when', async () => {
    await using victim = await TunnelHost.open(place, 'victim', {
      serve: (connection) => void connection.write('mine;'),
    });
    await using evil = await TunnelHost.open(place, 'evil', { serve: () => {} });
    const trunk = await evil.trunk();
    const interfere = async (channel: string): Promise<void> => {
      for (const offset of [0, 5]) {
        trunk.send(channel, encodeFrame({ kind: 'bytes', stream: 1, offset, bytes: Buffer.from('not mine') }));
        trunk.send(channel, encodeFrame({ kind: 'exit', offset, exitCode: 0, reason: 'over' }));
      }
      await sleep(100);
    };
    victim.asked = interfere;
    for (const isOnTrunk of [true, false]) {
      using _ = isOnTrunk ? undefined : victim.proxy.refuse();
      if (!isOnTrunk) victim.proxy.cut();
      const connection = await victim.dial();
      const heard: Buffer[] = [];
      connection.on('data', (bytes: Buffer) => heard.push(bytes));
      await interfere(victim.channels.at(-1) ?? '');
      assert.deepEqual([Buffer.concat(heard).toString(), connection.destroyed], ['mine;', false]);
      connection.destroy();
    }
    assert.deepEqual(victim.joined, { onTrunk: 1, onNats: 1 });
  });

  it('end for a user who is removed while they are being opened', async () => {
    await using host = await TunnelHost.open(place, 'leaving', {
      serve: (connection) => void connection.write('secret'),
    });
    host.asked = async () => void (await place.ask('DELETE', '/v1/users/leaving-viewer-1'));
    await assert.rejects(text(await host.dial()), /token is nobody/);
  });

  it('lose their trunk when the host is removed, and it gets no other', async () => {
    await using host = await TunnelHost.open(place, 'removed', { serve: () => {} });
    const trunk = await host.trunk();
    assert.equal((await place.ask('DELETE', '/v1/hosts/removed')).status, 200);
    await trunk.ended;
    await assert.rejects(host.trunk(), /it answered 401/);
  });
});

/** An agent's sessions without the rest of an agent: its trunks go through a proxy, NATS does not. Its viewers come by another. */
class TunnelHost implements AsyncDisposable {
  /** What its trunks go through. */
  readonly proxy: FaultProxy;
  readonly viewers: FaultProxy;
  readonly channels: string[] = [];
  /** Done while the hub waits for its answer. */
  asked: (channel: string) => Promise<void> = async () => {};
  readonly joined = { onTrunk: 0, onNats: 0 };
  readonly #place: HubPlace;
  readonly #identity: Identity;
  readonly #undo: AsyncDisposableStack;
  #name = '';
  #viewers = 0;

  private constructor(place: HubPlace, { proxy, viewers, identity, undo }: HostParts) {
    this.#place = place;
    this.proxy = proxy;
    this.viewers = viewers;
    this.#identity = identity;
    this.#undo = undo;
  }

  /** @param options.ca what signed the hub's certificate, when it has one. */
  static async open(
    place: HubPlace,
    name: string,
    { serve, ca }: { readonly serve: (connection: Duplex) => void; readonly ca?: string | undefined },
  ): Promise<TunnelHost> {
    await using undo = new AsyncDisposableStack();
    const directory = await mkdtemp(join(tmpdir(), 'fairlead-trunk-'));
    undo.defer(() => rm(directory, { recursive: true, force: true }));
    const { hostname: host, port } = new URL(place.hub.url ?? '');
    const proxy = undo.use(await FaultProxy.open({ host, port: Number(port) }));
    const viewers = undo.use(await FaultProxy.open({ host, port: Number(port) }));
    const agent = await place.agent(name);
    const scheme = ca === undefined ? 'http' : 'https';
    const identity = identityOf(agent, { url: `${scheme}://127.0.0.1:${proxy.port}`, ca });
    const client = undo.use(await connect({ host: `unix://${directory}/no-engine.sock` }));
    const dial = (signal: AbortSignal) => dialTrunk(identity, signal);
    const sessions = undo.use(
      new AgentSessions({
        engine: new EngineSide(client),
        policy: {},
        serve,
        recordings: await Recordings.open(join(directory, 'recordings')),
        trunks: undo.use(new AgentTrunks({ dial, log: silentFleetLog, againMs: 100 })),
        log: silentFleetLog,
      }),
    );
    const subjects = hostSubjects(agent.host);
    sessions.use({ connection: agent.connection, subjects });
    const made = new TunnelHost(place, { proxy, viewers, identity, undo: undo.move() });
    made.#name = name;
    const asked = agent.connection.subscribe(subjects.rpc('session'), {
      callback: (_, message) => void made.#answer(sessions, message),
    });
    made.#undo.defer(() => asked.unsubscribe());
    await agent.connection.flush();
    return made;
  }

  /** A connection to what the host serves, through the hub. */
  async dial(): Promise<Duplex> {
    this.#viewers += 1;
    const name = `${this.#name}-viewer-${this.#viewers}`;
    const { token } = await this.#place.hub.parts.accounts.create({ name, role: 'exec' });
    const { url, ca } = this.#identity.hub;
    const hub = Object.assign(new URL(url), { port: this.viewers.port }).origin;
    const client = this.#undo.use(
      await connect({ hub, token, host: this.#name, tls: ca === undefined ? false : { ca } }),
    );
    const connection = await client.dial(AbortSignal.timeout(30_000));
    this.#undo.defer(() => void connection.destroy());
    return connection;
  }

  /** One more trunk of this host. */
  async trunk(): Promise<Trunk> {
    const { socket, id } = await dialTrunk(this.#identity, AbortSignal.timeout(10_000));
    return this.#undo.use(new Trunk(socket, { id }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#undo.disposeAsync();
  }

  async #answer(sessions: AgentSessions, message: Asked): Promise<void> {
    const request = v.parse(sessionRequestSchema, message.json());
    const { channel = '' } = request;
    this.channels.push(channel);
    const answer = await sessions.open(request);
    await this.asked(channel);
    if (answer.opened) this.joined[answer.trunk === undefined ? 'onNats' : 'onTrunk'] += 1;
    message.respond(JSON.stringify(answer));
  }
}

/** A question that came over NATS. */
interface Asked {
  json(): unknown;
  respond(words: string): boolean;
}

interface HostParts {
  readonly proxy: FaultProxy;
  readonly viewers: FaultProxy;
  readonly identity: Identity;
  readonly undo: AsyncDisposableStack;
}

function identityOf({ host, key }: WireAgent, hub: HubAddress): Identity {
  return { host, key, hub, nats: { via: 'hub' }, journalId: undefined };
}

/** In turn the trunk, the viewer, and both while the hub cannot be dialled. */
async function cutNowAndThen({ proxy, viewers }: TunnelHost, until: AbortSignal): Promise<void> {
  for (let turn = 0; !until.aborted; turn += 1) {
    await sleep(200, undefined, { signal: until }).catch(() => {});
    using _ = turn % 3 === 2 ? proxy.refuse() : undefined;
    if (turn % 3 !== 1) proxy.cut();
    if (turn % 3 !== 0) viewers.cut();
    if (turn % 3 === 2) await sleep(100);
  }
}

async function digest(stream: Duplex): Promise<string> {
  const hash = createHash('sha256');
  for await (const bytes of stream) hash.update(bytes as Uint8Array);
  return hash.digest('hex');
}

async function text(stream: Duplex): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const bytes of stream) parts.push(bytes as Uint8Array);
  return Buffer.concat(parts).toString();
}

async function socketPair(): Promise<AsyncDisposable & { readonly sockets: readonly [Socket, Socket] }> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const accepted = once(server, 'connection');
  const near = connectSocket({
    host: '127.0.0.1',
    port: typeof address === 'object' && address !== null ? address.port : 0,
  });
  const [far] = (await accepted) as [Socket];
  for (const socket of [near, far]) socket.on('error', () => {});
  return {
    sockets: [near, far],
    async [Symbol.asyncDispose]() {
      for (const socket of [near, far]) socket.destroy();
      server.close();
    },
  };
}
