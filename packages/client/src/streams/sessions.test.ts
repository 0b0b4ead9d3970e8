import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeFrame } from '@fairlead/protocol';
import { ConnectionLostError, ProtocolError, SessionLostError } from '../errors.ts';
import { execEngine, EXEC_ID, PLAIN, UPGRADED } from '../acceptance/engines.fixture.ts';
import { FakeEngine, json } from '../fake-engine.fixture.ts';

function engineThatSays(head: string, ...parts: readonly Uint8Array[]): FakeEngine {
  return execEngine(({ socket }) => {
    socket.write(head);
    for (const part of parts) socket.write(part);
    socket.end();
  });
}

async function textOf(engine: FakeEngine): Promise<string> {
  await using client = await engine.client();
  await using session = await client.containers.spawn('web', ['ls']);
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
  }

  it('gives out what came before what it cannot read', async () => {
    const engine = engineThatSays(
      UPGRADED,
      encodeFrame('stdout', Buffer.from('last words')),
      Uint8Array.of(9, 9, 9, 9),
    );
    await using client = await engine.client();
    await using session = await client.containers.spawn('web', ['ls']);
    const seen: string[] = [];
    await assert.rejects(async () => {
      for await (const { bytes } of session.output()) seen.push(Buffer.from(bytes).toString());
    }, ConnectionLostError);
    assert.deepEqual(seen, ['last words']);
  });

  const broken = [
    { name: 'an unknown stream', bytes: [9, 0, 0, 0, 0, 0, 0, 1, 65], error: ProtocolError },
    { name: 'an end inside a frame', bytes: [1, 0, 0, 0, 0, 0, 0, 9, 65], error: ConnectionLostError },
    { name: 'an end inside a header', bytes: [1, 0, 0], error: ConnectionLostError },
    { name: 'what the engine itself says went wrong', bytes: [3, 0, 0, 0, 0, 0, 0, 2, 110, 111], error: ProtocolError },
  ];
  for (const { name, bytes, error } of broken) {
    it(`throws for ${name}`, () => assert.rejects(textOf(engineThatSays(UPGRADED, Uint8Array.from(bytes))), error));
  }

  it('gives the exit code after the end of the stream', async () => {
    await using client = await engineThatSays(UPGRADED).client();
    assert.equal((await client.containers.exec('web', ['ls'])).exitCode, 3);
  });

  it('says that the session is lost when the engine no longer knows the exec', async () => {
    const engine = new FakeEngine(({ line, socket }) => {
      if (line.startsWith('GET')) socket.write(json('404 Not Found', { message: 'No such exec instance' }));
      else if (line.includes('/start ')) socket.end(UPGRADED);
      else socket.write(json('201 Created', { Id: EXEC_ID }));
    });
    await using client = await engine.client();
    await assert.rejects(client.containers.exec('web', ['ls']), (error: Error) => {
      assert.ok(error instanceof SessionLostError);
      assert.match(error.message, /exit code cannot be known \(exec web\): No such exec instance/);
      return true;
    });
  });

  it('ends although its input never does, when the program has ended', async () => {
    const engine = execEngine(
      ({ socket }) =>
        void socket.end(Buffer.concat([Buffer.from(UPGRADED), encodeFrame('stdout', Buffer.from('done'))])),
    );
    await using client = await engine.client();
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('x');
      await new Promise(() => {});
    }
    assert.equal((await client.containers.exec('web', ['true'], { stdin: endless() })).exitCode, 3);
  });

  it('fails when its input does', async () => {
    const engine = execEngine(({ socket }) => void socket.write(UPGRADED));
    await using client = await engine.client();
    async function* torn(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('x');
      throw new Error('the file is gone');
    }
    await assert.rejects(client.containers.exec('web', ['cat'], { stdin: torn() }), /the file is gone/);
    await sleep(5);
    assert.ok(engine.sockets.some((socket) => socket.destroyed));
  });

  it('frees the connection when it is disposed in the middle', async () => {
    const engine = execEngine(({ socket }) => void socket.write(UPGRADED));
    await using client = await engine.client();
    {
      await using session = await client.containers.spawn('web', ['cat'], { stdin: true });
      await session.write(Buffer.from('x'));
    }
    await sleep(5);
    assert.ok(engine.sockets.some((socket) => socket.destroyed));
  });
});
