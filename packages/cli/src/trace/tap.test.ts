import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { type Duplex, duplexPair } from 'node:stream';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { tap } from './tap.ts';

type Kind = 'unix' | 'tcp';

/** A client, an engine, and a tap between them. */
interface Pair {
  readonly client: Socket;
  readonly engine: Socket;
  /** `client: half-close`, in order. */
  readonly heard: string[];
  readonly bytes: { client: number; engine: number };
  readonly over: Promise<void>;
}

const STREAM_BYTES = 32 * 1024 * 1024;

for (const kind of ['unix', 'tcp'] as const) {
  describe(`tap, between ${kind} sockets`, () => {
    let world: World;
    before(async () => void (world = await World.open(kind)));
    after(() => world[Symbol.asyncDispose]());

    it('lets the same bytes through in both directions, and passes half-closes on', async () => {
      const { client, engine, heard, bytes, over } = await world.pair();
      const sent = [randomBytes(300_000), randomBytes(200_000)] as const;
      client.end(sent[0]);
      assert.deepEqual(await all(engine), sent[0]);
      assert.ok(!client.destroyed && !client.readableEnded, 'the other direction is open');
      engine.end(sent[1]);
      assert.deepEqual(await all(client), sent[1]);
      await over;
      assert.deepEqual(bytes, { client: 300_000, engine: 200_000 });
      assert.deepEqual(
        heard.slice(0, 2).map((line) => line.replace(/fin|half-close|close/, 'end')),
        ['client: end', 'engine: end'],
      );
    });

    it('says that a side is gone which only half-closed before', async () => {
      const { client, engine, heard, over } = await world.pair();
      client.end('x');
      await once(engine.resume(), 'end');
      assert.deepEqual(heard, [kind === 'unix' ? 'client: half-close' : 'client: fin']);
      client.destroy();
      // Over TCP only a write tells; over a unix socket the tap asks by itself.
      if (kind === 'tcp') while (!engine.destroyed && engine.write('anybody?')) await sleep(20);
      await over;
      engine.destroy();
      assert.deepEqual(heard.slice(1), [kind === 'unix' ? 'client: close' : 'client: reset']);
    });

    it('stops whoever writes while nobody reads', async () => {
      const { client, engine, over } = await world.pair();
      const chunk = randomBytes(1024 * 1024);
      let written = 0;
      while (written < 64 && (await writes(engine, chunk))) written += 1;
      assert.ok(written < 64, `${written} MB were taken without anybody reading`);
      const hash = createHash('sha256');
      let read = 0;
      const reading = (async () => {
        for await (const bytes of client as AsyncIterable<Buffer>) {
          hash.update(bytes);
          read += bytes.length;
        }
      })();
      engine.end();
      await reading;
      client.end();
      await over;
      const expected = createHash('sha256');
      for (let at = 0; at <= written; at += 1) expected.update(chunk);
      assert.equal(read, (written + 1) * chunk.length);
      assert.equal(hash.digest('hex'), expected.digest('hex'));
    });

    it('is not in the way of a long stream', async () => {
      const { client, engine, bytes, over } = await world.pair();
      const chunk = randomBytes(256 * 1024);
      const reading = all(client);
      for (let sent = 0; sent < STREAM_BYTES; sent += chunk.length)
        if (!engine.write(chunk)) await once(engine, 'drain');
      engine.end();
      assert.equal((await reading).length, STREAM_BYTES);
      client.end();
      await over;
      assert.equal(bytes.engine, STREAM_BYTES);
    });

    it('passes a close on, with everything that was sent before', async () => {
      const { client, engine, heard, over } = await world.pair();
      const reading = all(client);
      engine.write(randomBytes(100_000), () => engine.destroy());
      assert.equal((await reading).length, 100_000);
      client.end();
      await over;
      assert.equal(heard[0], kind === 'unix' ? 'engine: close' : 'engine: fin');
    });
  });
}

describe('tap, between tcp sockets', () => {
  it('notices that an answer comes to nobody', async () => {
    await using world = await World.open('tcp');
    const { client, engine, heard, over } = await world.pair();
    client.write('question', () => client.destroy());
    assert.equal(String(await all(engine)), 'question');
    engine.end('answer');
    await over;
    assert.deepEqual(
      heard.filter((line) => line.startsWith('client')),
      ['client: fin', 'client: reset'],
    );
  });

  it('passes a reset on as a reset', async () => {
    await using world = await World.open('tcp');
    const { client, engine, heard, over } = await world.pair();
    engine.write('half of an ans');
    await once(client, 'readable');
    engine.resetAndDestroy();
    client.resume();
    const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException];
    await over;
    assert.equal(error.code, 'ECONNRESET');
    assert.deepEqual(heard, ['engine: reset']);
  });
});

describe('tap, with a way to the engine that is no socket', () => {
  it('lets bytes and half-closes through', async () => {
    await using world = await World.open('unix');
    const [client, inner] = await world.connection();
    const [outer, engine] = duplexPair({ allowHalfOpen: true });
    const heard: string[] = [];
    const over = tap(
      { socket: inner, unix: true },
      { socket: outer, unix: false },
      { bytes: () => {}, ended: (side, how) => void heard.push(`${side}: ${how}`) },
    );
    client.end('question');
    assert.equal(String(await all(engine)), 'question');
    engine.end('answer');
    assert.equal(String(await all(client)), 'answer');
    await over;
    assert.deepEqual(heard.slice(0, 2), ['client: half-close', 'engine: fin']);
  });
});

/** Where connections come from. */
class World implements AsyncDisposable {
  readonly #kind: Kind;
  readonly #directory = mkdtempSync(join(tmpdir(), 'tap-'));
  readonly #front: Server;
  readonly #back: Server;

  private constructor(kind: Kind, front: Server, back: Server) {
    this.#kind = kind;
    this.#front = front;
    this.#back = back;
  }

  static async open(kind: Kind): Promise<World> {
    const world = new World(kind, createServer({ allowHalfOpen: true }), createServer({ allowHalfOpen: true }));
    for (const [name, server] of [
      ['front', world.#front],
      ['back', world.#back],
    ] as const) {
      if (kind === 'unix') server.listen(join(world.#directory, name));
      else server.listen(0, '127.0.0.1');
      await once(server, 'listening');
    }
    return world;
  }

  async connection(): Promise<readonly [Socket, Socket]> {
    return await this.#connection(this.#front);
  }

  async pair(): Promise<Pair> {
    const [client, inner] = await this.#connection(this.#front);
    const [outer, engine] = await this.#connection(this.#back);
    const heard: string[] = [];
    const bytes = { client: 0, engine: 0 };
    const unix = this.#kind === 'unix';
    const over = tap(
      { socket: inner, unix },
      { socket: outer, unix },
      {
        bytes: (side, chunk) => void (bytes[side] += chunk.length),
        ended: (side, how) => void heard.push(`${side}: ${how}`),
      },
    );
    for (const socket of [client, engine]) socket.on('error', () => {});
    return { client, engine, heard, bytes, over };
  }

  async #connection(server: Server): Promise<readonly [Socket, Socket]> {
    const accepted = once(server, 'connection');
    const address = server.address();
    const where =
      typeof address === 'string' || address === null
        ? { path: String(address) }
        : { host: '127.0.0.1', port: address.port };
    const socket = connect({ ...where, allowHalfOpen: true });
    const [other] = (await accepted) as [Socket];
    return [socket, other];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#front, this.#back].map((server) => new Promise((resolve) => server.close(resolve))));
    rmSync(this.#directory, { recursive: true });
  }
}

async function all(socket: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Whether the kernel and the tap took it within a moment. */
async function writes(socket: Socket, chunk: Buffer): Promise<boolean> {
  const written = new Promise<boolean>((resolve) => socket.write(chunk, () => resolve(true)));
  return await Promise.race([written, sleep(1000, false)]);
}
