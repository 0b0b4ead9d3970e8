import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { FaultProxy } from './fault-proxy.ts';

describe('FaultProxy', () => {
  let echo: Server;
  let proxy: FaultProxy;
  before(async () => {
    echo = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => {});
      socket.pipe(socket);
    });
    echo.listen(0, '127.0.0.1');
    await once(echo, 'listening');
    proxy = await FaultProxy.open({ host: '127.0.0.1', port: (echo.address() as { port: number }).port });
  });
  after(async () => {
    await proxy[Symbol.asyncDispose]();
    echo.close();
  });

  const dial = async (): Promise<Socket> => {
    const socket = connect(proxy.port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  };
  const heard = async (socket: Socket, count: number): Promise<string> => {
    let text = '';
    while (text.length < count) text += String((await once(socket, 'data'))[0]);
    return text;
  };

  it('passes everything, half-closes too', async () => {
    const socket = await dial();
    socket.end('hello');
    let text = '';
    for await (const bytes of socket) text += String(bytes);
    assert.equal(text, 'hello');
  });

  it('cuts every connection, and in the middle of a message', async () => {
    const [one, two] = [await dial(), await dial()];
    one.write('x');
    await heard(one, 1);
    proxy.cutAfter('to-client', 3);
    const closed = Promise.all([one, two].map((socket) => new Promise((resolve) => socket.once('close', resolve))));
    one.write('123456');
    assert.equal(await heard(one, 3), '123');
    await closed;
    assert.equal(proxy.open, 0);
  });

  it('refuses, until it is told not to', async () => {
    {
      using _refusing = proxy.refuse();
      const socket = connect(proxy.port, '127.0.0.1');
      await new Promise<void>((resolve) => socket.on('error', () => {}).once('close', () => resolve()));
    }
    const socket = await dial();
    socket.write('y');
    assert.equal(await heard(socket, 1), 'y');
    socket.destroy();
  });

  it('swallows without a word, and goes on with what comes later', async () => {
    const socket = await dial();
    {
      using _silent = proxy.swallow('to-server');
      socket.write('lost');
      await sleep(50);
    }
    socket.write('kept');
    assert.equal(await heard(socket, 4), 'kept');
    socket.destroy();
  });

  it('holds an old connection back while a new one goes on', async () => {
    const old = await dial();
    old.write('a');
    await heard(old, 1);
    const held = proxy.hold('to-server');
    old.write('late');
    const fresh = await dial();
    fresh.write('first');
    assert.equal(await heard(fresh, 5), 'first');
    held[Symbol.dispose]();
    assert.equal(await heard(old, 4), 'late');
    old.destroy();
    fresh.destroy();
  });

  it('delays and changes', async () => {
    const socket = await dial();
    using _slow = proxy.delay('to-server', 20);
    using _twice = proxy.change('to-server', (bytes) => [bytes, bytes]);
    socket.write('ab');
    assert.equal(await heard(socket, 4), 'abab');
    socket.destroy();
  });
});
