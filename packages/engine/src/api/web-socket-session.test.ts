import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { containerEndpoints, EngineError, parseDetachKeys, systemEndpoints } from '@fairlead/protocol';
import { webSocketClientFrame } from '@fairlead/testkit';
import { route, type SessionEnding, type WebSocketReply } from './route.ts';
import { apiScene, type ApiScene } from './test/api-scene.ts';
import { FakeSession } from './test/fake-session.ts';
import type { RawClient } from './test/raw-client.ts';
import { ACCEPTED, handshakeRequest, serverFrame } from './test/web-socket-client.ts';

const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;
const PATH = '/v1.44/containers/web/attach/ws?stream=1';
const GOING_WELL = Buffer.from([3, 232]);

interface Scene extends AsyncDisposable {
  readonly scene: ApiScene;
  readonly session: FakeSession;
  readonly client: RawClient;
  readonly ended: Promise<SessionEnding>;
}

async function open(plan: Partial<WebSocketReply> = {}): Promise<Scene> {
  const session = new FakeSession();
  const over = Promise.withResolvers<SessionEnding>();
  const scene = await apiScene([
    route(containerEndpoints.attachWebSocket, async (call) => {
      if (call.param('id') !== 'web') throw new EngineError('not-found', `No such container: ${call.param('id')}`);
      return {
        kind: 'web-socket',
        messages: 'binary',
        streams: { stdin: true, stdout: true, stderr: true },
        detachKeys: undefined,
        onHalfClose: 'end-input',
        open: async () => session,
        ended: over.resolve,
        ...plan,
      } as const;
    }),
    route(systemEndpoints.ping, async () => ({ kind: 'text', text: 'OK' })),
  ]);
  const client = scene.connect();
  return { scene, session, client, ended: over.promise, [Symbol.asyncDispose]: () => scene[Symbol.asyncDispose]() };
}

async function connected(plan: Partial<WebSocketReply> = {}): Promise<Scene> {
  const scene = await open(plan);
  scene.client.send(handshakeRequest(PATH));
  await scene.client.until('\r\n\r\n');
  return scene;
}

describe('attach over a WebSocket', () => {
  it('answers the handshake with these bytes and no others', async () => {
    await using scene = await open();
    scene.client.send(handshakeRequest(PATH));
    assert.equal(
      await scene.client.until('\r\n\r\n'),
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${ACCEPTED}\r\n\r\n`,
    );
  });

  it('mixes both streams in binary messages and takes messages of either kind as input', async () => {
    await using scene = await connected();
    const { client, session } = scene;
    session.say('out');
    session.say('err', 'stderr');
    assert.deepEqual(await serverFrame(client), { opcode: BINARY, payload: Buffer.from('out') });
    assert.deepEqual(await serverFrame(client), { opcode: BINARY, payload: Buffer.from('err') });
    client
      .send(webSocketClientFrame(TEXT, 'te', { last: false }))
      .send(webSocketClientFrame(0, 'xt '))
      .send(webSocketClientFrame(BINARY, 'bin'));
    await session.until(() => session.input === 'text bin');
  });

  it('sends text as whole characters to those who expect text', async () => {
    await using scene = await connected({ messages: 'text' });
    const { client, session } = scene;
    const bytes = Buffer.from('h\u00e9');
    session.say(bytes.subarray(0, 2));
    session.say(bytes.subarray(2));
    assert.deepEqual(await serverFrame(client), { opcode: TEXT, payload: Buffer.from('h') });
    assert.deepEqual(await serverFrame(client), { opcode: TEXT, payload: Buffer.from('\u00e9') });
  });

  it('closes when the output ends, once everything was sent', async () => {
    await using scene = await connected();
    const { client, session, ended } = scene;
    session.say('last');
    session.exit();
    assert.equal((await serverFrame(client)).payload.toString(), 'last');
    assert.deepEqual(await serverFrame(client), { opcode: CLOSE, payload: GOING_WELL });
    assert.equal((await client.toEnd()).length, 0);
    assert.deepEqual(await ended, { by: 'output-ended' });
    client.send(webSocketClientFrame(CLOSE, GOING_WELL));
  });

  it('answers a close with the same, and ends the input of a container whose input ends once', async () => {
    await using scene = await connected();
    const { client, session, ended } = scene;
    client.send(webSocketClientFrame(BINARY, 'in')).send(webSocketClientFrame(CLOSE, GOING_WELL));
    assert.deepEqual(await serverFrame(client), { opcode: CLOSE, payload: GOING_WELL });
    await client.toEnd();
    await ended;
    assert.deepEqual([session.input, session.inputEnded, session.disposed], ['in', true, true]);
  });

  for (const onHalfClose of ['close-stream', 'ignore'] as const) {
    it(`leaves other containers their input when the client closes (${onHalfClose})`, async () => {
      await using scene = await connected({ onHalfClose });
      scene.client.send(webSocketClientFrame(CLOSE, ''));
      await scene.client.toEnd();
      await scene.ended;
      assert.deepEqual([scene.session.inputEnded, scene.session.disposed], [false, true]);
    });
  }

  it('answers a ping between the messages', async () => {
    await using scene = await connected();
    scene.client.send(webSocketClientFrame(PING, 'are you there'));
    assert.deepEqual(await serverFrame(scene.client), { opcode: PONG, payload: Buffer.from('are you there') });
  });

  it('lets a client go that breaks the protocol', async () => {
    await using scene = await connected();
    scene.client.send(webSocketClientFrame(BINARY, 'unmasked', { mask: undefined }));
    assert.deepEqual(await serverFrame(scene.client), { opcode: CLOSE, payload: Buffer.from([3, 234]) });
    await scene.client.toEnd();
    await scene.ended;
    assert.equal(scene.session.input, '');
  });

  it('ends with the client that just goes', async () => {
    await using scene = await connected();
    scene.client[Symbol.dispose]();
    assert.deepEqual(await scene.ended, { by: 'client-gone' });
  });

  it('ends at the detach keys', async () => {
    await using scene = await connected({ detachKeys: parseDetachKeys('ctrl-p,ctrl-q', 'detach') });
    scene.client
      .send(webSocketClientFrame(BINARY, Buffer.from([16])))
      .send(webSocketClientFrame(BINARY, Buffer.from([17])));
    assert.deepEqual(await serverFrame(scene.client), { opcode: CLOSE, payload: GOING_WELL });
    assert.deepEqual(await scene.ended, { by: 'detach-keys' });
  });

  it('says in a message why it could not be opened', async () => {
    await using scene = await connected({
      open: async () => {
        throw new EngineError('conflict', 'it is gone');
      },
    });
    assert.equal((await serverFrame(scene.client)).payload.toString(), 'it is gone\r\n');
    assert.equal((await serverFrame(scene.client)).opcode, CLOSE);
  });

  it('refuses as HTTP what can be refused before', async () => {
    await using scene = await open();
    const { client } = scene;
    const answers: string[] = [];
    const requests = [
      handshakeRequest('/v1.44/containers/nosuch/attach/ws'),
      `GET ${PATH} HTTP/1.1\r\nHost: docker\r\n\r\n`,
      `GET ${PATH} HTTP/1.1\r\nHost: docker\r\nUpgrade: tcp\r\nConnection: Upgrade\r\n\r\n`,
      'GET /_ping HTTP/1.1\r\nHost: docker\r\n\r\n',
    ];
    for (const request of requests) {
      client.send(request);
      const { status, body } = await client.answer();
      answers.push(`${status} ${body.trim()}`);
    }
    assert.deepEqual(answers, [
      '404 {"message":"No such container: nosuch"}',
      '400 {"message":"not websocket protocol"}',
      '400 {"message":"not websocket protocol"}',
      '200 OK',
    ]);
  });
});
