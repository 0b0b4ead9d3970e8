import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeFrame } from '@fairlead/protocol';
import { ConnectionLostError, ProtocolError, SessionLostError } from '../errors.ts';
import { type FakeAnswer, FakeEngine, json } from '../fake-engine.fixture.ts';

const UPGRADED =
  'HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n';
const PLAIN = 'HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n';
const ID = 'a'.repeat(64);

function engineThatSays(head: string, ...parts: readonly Uint8Array[]): FakeEngine {
  return new FakeEngine(({ line, socket }) => {
    if (line.includes('/json ')) {
      socket.write(json('200 OK', { Running: false, ExitCode: 3 }));
      return;
    }
    if (line.includes('/containers/')) {
      socket.write(json('201 Created', { Id: ID }));
      return;
    }
    socket.write(head);
    for (const part of parts) socket.write(part);
    socket.end();
  });
}

async function textOf(engine: FakeEngine): Promise<string> {
  await using client = await engine.client();
  await using session = await client.exec.start(ID);
  let text = '';
  for await (const { stream, bytes } of session.output()) text += `${stream}:${Buffer.from(bytes).toString()} `;
  return text;
}

describe('ExecSession', () => {
  for (const [name, head] of [
    ['101', UPGRADED],
    ['200', PLAIN],
  ] as const) {
    it(`tells the streams apart after a ${name}`, async () => {
      const engine = engineThatSays(
        head,
        encodeFrame('stdout', Buffer.from('a')),
        encodeFrame('stderr', Buffer.from('b')),
      );
      assert.equal(await textOf(engine), 'stdout:a stderr:b ');
    });

    it(`half-closes at the end of input after a ${name}, and reads on`, async () => {
      const answer: FakeAnswer = async ({ socket, rest }) => {
        socket.write(head);
        const input = await rest();
        socket.end(encodeFrame('stdout', Buffer.from(`got ${input}`)));
      };
      await using client = await new FakeEngine(answer).client();
      await using session = await client.exec.start(ID);
      await session.write(Buffer.from('hello'));
      session.endInput();
      const chunks = await Array.fromAsync(session.output());
      assert.deepEqual(
        chunks.map(({ bytes }) => Buffer.from(bytes).toString()),
        ['got hello'],
      );
    });
  }

  it('takes 200,000 small frames in one write', async () => {
    const frame = encodeFrame('stdout', Buffer.from('ab'));
    const engine = engineThatSays(UPGRADED, Buffer.concat(Array.from({ length: 200_000 }, () => frame)));
    await using client = await engine.client();
    await using session = await client.exec.start(ID);
    let count = 0;
    for await (const { bytes } of session.output()) count += bytes.byteLength;
    assert.equal(count, 400_000);
  });

  it('takes a frame of 32 MB in pieces of 16 KB', async () => {
    const frame = encodeFrame('stdout', new Uint8Array(32 * 1024 * 1024));
    const pieces = Array.from({ length: Math.ceil(frame.length / 16384) }, (_, at) =>
      frame.subarray(at * 16384, (at + 1) * 16384),
    );
    await using client = await engineThatSays(UPGRADED, ...pieces).client();
    await using session = await client.exec.start(ID);
    let count = 0;
    for await (const { bytes } of session.output()) count += bytes.byteLength;
    assert.equal(count, 32 * 1024 * 1024);
  });

  const broken = [
    { name: 'an unknown stream', bytes: [9, 0, 0, 0, 0, 0, 0, 1, 65], error: ProtocolError },
    { name: 'a length of 0x80000000', bytes: [1, 0, 0, 0, 128, 0, 0, 0, 65], error: ProtocolError },
    { name: 'an end inside a frame', bytes: [1, 0, 0, 0, 0, 0, 0, 9, 65], error: ConnectionLostError },
    { name: 'an end inside a header', bytes: [1, 0, 0], error: ConnectionLostError },
  ];
  for (const { name, bytes, error } of broken) {
    it(`throws for ${name}`, () => assert.rejects(textOf(engineThatSays(UPGRADED, Uint8Array.from(bytes))), error));
  }

  it('gives the exit code after the end of the stream', async () => {
    await using client = await engineThatSays(UPGRADED).client();
    assert.equal((await client.exec.run('web', ['ls'])).exitCode, 3);
  });

  for (const inspected of [
    { Running: false, ExitCode: null },
    { Running: true, ExitCode: null },
  ]) {
    it(`never takes ${JSON.stringify(inspected)} for 0`, async () => {
      const engine = new FakeEngine(({ line, socket }) => {
        if (line.startsWith('GET')) socket.write(json('200 OK', inspected));
        else socket.end(UPGRADED);
      });
      await using client = await engine.client();
      await using session = await client.exec.start(ID);
      await Array.fromAsync(session.output());
      await assert.rejects(session.exitCode(), SessionLostError);
    });
  }

  it('frees the connection when it is disposed in the middle', async () => {
    const engine = new FakeEngine(({ socket }) => void socket.write(UPGRADED));
    await using client = await engine.client();
    {
      await using session = await client.exec.start(ID);
      await session.write(Buffer.from('x'));
    }
    await sleep(5);
    assert.ok(engine.sockets.some((socket) => socket.destroyed));
  });
});

describe('logs', () => {
  it('joins characters and lines that were cut, each stream on its own', async () => {
    const euro = Buffer.from('€');
    const frames = [
      encodeFrame('stdout', Buffer.concat([Buffer.from('price '), euro.subarray(0, 1)])),
      encodeFrame('stderr', Buffer.from('oh ')),
      encodeFrame('stdout', Buffer.concat([euro.subarray(1), Buffer.from(' 5\nlast')])),
      encodeFrame('stderr', Buffer.from('no\n')),
    ];
    const engine = new FakeEngine(({ line, socket }) => {
      if (line.includes('/json ')) {
        socket.write(json('200 OK', { Config: { Tty: false } }));
        return;
      }
      socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n');
      for (const frame of frames) socket.write(frame);
      socket.end();
    });
    await using client = await engine.client();
    const lines = await Array.fromAsync(client.containers.logs('web'));
    assert.deepEqual(
      lines.map(({ stream, text }) => `${stream} ${text}`),
      ['stdout price € 5', 'stderr oh no', 'stdout last'],
    );
  });

  it('frees the connection when the reader breaks off', async () => {
    const engine = new FakeEngine(({ line, socket }) => {
      if (line.includes('/json ')) {
        socket.write(json('200 OK', { Config: { Tty: true } }));
        return;
      }
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\none\n\r\n');
    });
    await using client = await engine.client();
    for await (const { text } of client.containers.logs('web', { follow: true })) {
      assert.equal(text, 'one');
      break;
    }
    await sleep(5);
    assert.ok(engine.sockets.every((socket) => socket.destroyed));
  });
});

describe('events', () => {
  it('go on after the engine went away, with a gap', async () => {
    const event = (action: string, at: number): string =>
      `${JSON.stringify({ Type: 'container', Action: action, Actor: { ID: 'x', Attributes: {} }, scope: 'local', time: at, timeNano: at * 1e9 })}\n`;
    let connections = 0;
    const engine = new FakeEngine(({ socket }) => {
      connections += 1;
      const lines = connections === 1 ? event('start', 1) : event('start', 1) + event('die', 2);
      socket.write(`HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${lines}`, () => socket.end());
    });
    await using client = await engine.client();
    const seen: string[] = [];
    for await (const item of client.events({ reconnect: true })) {
      seen.push(item.kind === 'event' ? item.event.Action : 'gap');
      if (seen.length === 3) break;
    }
    assert.deepEqual(seen, ['start', 'gap', 'die']);
    assert.match(engine.requests[1]?.line ?? '', /since=1\.0+/);
  });
});
