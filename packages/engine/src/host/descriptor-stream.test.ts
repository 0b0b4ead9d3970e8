import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { DescriptorClosedError, HELD_BYTES_MAX } from './descriptor-stream.ts';
import { listDirectory, makeTemporaryDirectory } from './files.ts';
import {
  acceptConnection,
  closeDescriptor,
  connectStream,
  listenSeqpacket,
  openPipe,
  sendDescriptor,
  sendPacket,
} from './native.ts';
import { spawnProgram } from './process.ts';
import { connectPackets, packetStream } from './sockets.ts';
import { DescriptorListener, openTerminalPair, resizeTerminal, terminalStream } from './terminal.ts';

const never = new AbortController().signal;
const packetBytesMax = 32_769;

async function pair() {
  await using directory = await makeTemporaryDirectory();
  const listener = listenSeqpacket(`${directory.path}/s`);
  const near = await connectPackets(`${directory.path}/s`, packetBytesMax, never);
  const far = packetStream(acceptConnection(listener), packetBytesMax);
  closeDescriptor(listener);
  return {
    near,
    far,
    [Symbol.asyncDispose]: async () => {
      near.close();
      far.close();
    },
  };
}

describe('DescriptorStream over packets', { timeout: 30_000 }, () => {
  it('keeps packets apart and tells the end', async () => {
    await using sockets = await pair();
    await sockets.near.write(Buffer.from('one'));
    await sockets.near.write(Buffer.from('two'));
    sockets.near.endWrite();
    sockets.near.endWrite();
    const packets: string[] = [];
    for await (const packet of sockets.far) packets.push(Buffer.from(packet).toString());
    assert.deepEqual(packets, ['one', 'two']);
    assert.ok(sockets.far.ended);
  });

  it('makes the writer wait for a reader that does not read, holds a bounded amount, and loses nothing', async () => {
    await using sockets = await pair();
    let written = 0;
    const total = 500;
    const writing = (async () => {
      for (; written < total; written++) await sockets.near.write(Buffer.alloc(30_000, written % 251));
      sockets.near.endWrite();
    })();
    await delay(200);
    assert.ok(written * 30_000 < HELD_BYTES_MAX + 1024 * 1024, `${written} packets taken`);
    let read = 0;
    for await (const packet of sockets.far) {
      assert.ok(packet.length === 30_000 && packet[29_999] === read % 251);
      read += 1;
    }
    await writing;
    assert.equal(read, total);
  });

  it('tells a waiting writer that it was closed, and a reader that it ended', async () => {
    await using sockets = await pair();
    const reading = sockets.near[Symbol.asyncIterator]().next();
    const writing = (async () => {
      for (;;) await sockets.near.write(Buffer.alloc(30_000));
    })();
    await delay(50);
    sockets.near.close();
    await assert.rejects(writing, DescriptorClosedError);
    assert.deepEqual(await reading, { done: true, value: undefined });
    await assert.rejects(sockets.near.write(Buffer.from('x')), DescriptorClosedError);
  });

  it('fails writes when the other side is gone', async () => {
    await using sockets = await pair();
    sockets.far.close();
    await assert.rejects(sockets.near.write(Buffer.from('x')), { code: 'EPIPE' });
  });

  it('delivers what was sent by a side that left without reading', async () => {
    await using sockets = await pair();
    await sockets.near.write(Buffer.from('unread'));
    const raw = Buffer.from('last words');
    sockets.far.stopReading();
    for (const _ of [1, 2]) sendPacket(sockets.far.fd, raw, 0, raw.length);
    await sockets.near.write(Buffer.from('unread'));
    sockets.far.close();
    const packets: string[] = [];
    for await (const packet of sockets.near) packets.push(Buffer.from(packet).toString());
    assert.deepEqual(packets, ['last words', 'last words']);
  });

  it('reports a packet that is too long to its reader', async () => {
    await using sockets = await pair();
    sendPacket(sockets.near.fd, Buffer.alloc(40_000), 0, 40_000);
    await assert.rejects(sockets.far[Symbol.asyncIterator]().next(), { code: 'EMSGSIZE' });
  });

  it('frees the descriptor when the reader breaks off', async () => {
    const before = (await listDirectory('/proc/self/fd')).length;
    for (let count = 0; count < 50; count++) {
      await using sockets = await pair();
      await sockets.near.write(Buffer.from('x'));
      for await (const _packet of sockets.far) break;
      assert.ok(sockets.far.closed);
    }
    assert.equal((await listDirectory('/proc/self/fd')).length, before);
  });
});

describe('terminalStream', { timeout: 30_000 }, () => {
  it('talks to a program on a terminal, resizes it, and ends with it', async () => {
    const { master, slave } = openTerminalPair({ rows: 10, columns: 20 });
    const terminal = terminalStream(master);
    await using program = await spawnProgram('sh', ['-c', 'stty size; read line; stty size; echo "got $line"'], {
      stdio: [slave, slave, slave],
    });
    closeDescriptor(slave);
    let text = '';
    for await (const chunk of terminal) {
      text += Buffer.from(chunk).toString();
      if (text.endsWith('10 20\r\n')) {
        resizeTerminal(terminal, { rows: 30, columns: 40 });
        await terminal.write(Buffer.from('it\n'));
      }
    }
    assert.equal(text, '10 20\r\nit\r\n30 40\r\ngot it\r\n');
    assert.equal((await program.exited).exitCode, 0);
    terminal.close();
    resizeTerminal(terminal, { rows: 1, columns: 1 });
  });

  it('does not stop the engine when a program does not read its input', async () => {
    const { master, slave } = openTerminalPair(undefined);
    await using terminal = terminalStream(master);
    let stalled = false;
    const writing = (async () => {
      for (let count = 0; count < 1_000; count++) await terminal.write(Buffer.from(`${'x'.repeat(60)}\n`));
    })();
    await Promise.race([writing, delay(100).then(() => (stalled = true))]);
    assert.ok(stalled);
    closeDescriptor(slave);
    terminal.close();
    await assert.rejects(writing);
  });
});

describe('DescriptorListener', { timeout: 10_000 }, () => {
  it('receives one descriptor with its name', async () => {
    await using directory = await makeTemporaryDirectory();
    const path = `${directory.path}/console`;
    using listener = new DescriptorListener(path);
    const sender = connectStream(path);
    const ends = openPipe();
    sendDescriptor(sender, ends.read, 'name');
    const received = await listener.receive(never);
    assert.equal(received.name, 'name');
    for (const fd of [sender, ends.read, ends.write, received.fd]) closeDescriptor(fd);
  });

  it('closes what nobody took, and removes its socket', async () => {
    await using directory = await makeTemporaryDirectory();
    const path = `${directory.path}/console`;
    const before = (await listDirectory('/proc/self/fd')).length;
    {
      using _listener = new DescriptorListener(path);
      const sender = connectStream(path);
      sendDescriptor(sender, 0, 'name');
      await delay(20);
      closeDescriptor(sender);
    }
    assert.deepEqual(await listDirectory(directory.path), []);
    assert.equal((await listDirectory('/proc/self/fd')).length, before);
  });

  it('says that the sender left, or that the caller did', async () => {
    await using directory = await makeTemporaryDirectory();
    using listener = new DescriptorListener(`${directory.path}/console`);
    closeDescriptor(connectStream(`${directory.path}/console`));
    await assert.rejects(listener.receive(never), { code: 'ECONNRESET' });
    using second = new DescriptorListener(`${directory.path}/second`);
    await assert.rejects(second.receive(AbortSignal.timeout(20)), { name: 'TimeoutError' });
  });
});
