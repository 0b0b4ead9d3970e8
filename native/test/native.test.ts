import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import * as native from '../index.js';
import { eventOn, scratch, usage } from './support.ts';

/** An error as Node's own system errors look. */
interface SystemError {
  readonly code: string;
  readonly syscall: string;
  readonly path?: string;
}

function connected(path: string): { readonly near: number; readonly far: number } {
  const listener = native.listenSeqpacket(path);
  const near = native.connectSeqpacket(path);
  const far = native.acceptConnection(listener);
  native.closeDescriptor(listener);
  rmSync(path);
  return { near, far };
}

function receive(fd: number): string | number {
  const room = Buffer.alloc(100);
  const count = native.receivePacket(fd, room, 0, room.length);
  return count <= 0 ? count : room.toString('utf8', 0, count);
}

describe('errors', () => {
  const text = Buffer.from('x');
  const cases: readonly { readonly call: () => unknown; readonly error: SystemError }[] = [
    {
      call: () => native.connectSeqpacket('/nowhere/s'),
      error: { code: 'ENOENT', syscall: 'connect', path: '/nowhere/s' },
    },
    { call: () => native.listenStream('/nowhere/s'), error: { code: 'ENOENT', syscall: 'bind', path: '/nowhere/s' } },
    { call: () => native.connectSeqpacket(`/${'n'.repeat(200)}`), error: { code: 'ENAMETOOLONG', syscall: 'connect' } },
    { call: () => native.closeDescriptor(100_000), error: { code: 'EBADF', syscall: 'close' } },
    { call: () => native.writeDescriptor(100_000, text, 0, 1), error: { code: 'EBADF', syscall: 'write' } },
    { call: () => native.getWindowSize(openSync('/dev/null', 'r')), error: { code: 'ENOTTY', syscall: 'ioctl' } },
    { call: () => native.pidfdOpen(2 ** 22), error: { code: 'ESRCH', syscall: 'pidfd_open' } },
    {
      call: () => native.makeNode('/nowhere/n', 0o010_600, 0, 0),
      error: { code: 'ENOENT', syscall: 'mknod', path: '/nowhere/n' },
    },
    {
      call: () => native.getAttribute('/nowhere', 'user.x'),
      error: { code: 'ENOENT', syscall: 'lgetxattr', path: '/nowhere' },
    },
    {
      call: () => native.shutdownWrite(0 + openSync('/dev/null', 'r')),
      error: { code: 'ENOTSOCK', syscall: 'shutdown' },
    },
  ];
  for (const { call, error } of cases) {
    it(`${error.syscall} that fails says ${error.code}`, () => {
      assert.throws(call, (thrown: NodeJS.ErrnoException) => {
        assert.ok(thrown instanceof Error && Number(thrown.errno) < 0);
        assert.match(thrown.message, new RegExp(`^${error.code}: .+, ${error.syscall}`));
        return Object.entries(error).every(([key, value]) => Reflect.get(thrown, key) === value);
      });
    });
  }

  it('a wrong call is a TypeError', () => {
    assert.throws(() => native.closeDescriptor('1' as never), TypeError);
    assert.throws(() => native.closeDescriptor(1.5), TypeError);
    assert.throws(() => native.connectSeqpacket('a\0b'), TypeError);
    assert.throws(() => native.readDescriptor(0, text, 1, 1), TypeError);
    assert.throws(() => native.readDescriptor(0, text, 0, 2 ** 53), TypeError);
    assert.throws(() => native.readDescriptor(0, 'text' as never, 0, 1), TypeError);
    assert.throws(() => new native.Poll(0, undefined as never), TypeError);
  });
});

describe('SOCK_SEQPACKET', () => {
  it('keeps packets apart, and tells the end of a half-closed connection', () => {
    using directory = scratch();
    const { near, far } = connected(`${directory.path}/s`);
    assert.equal(receive(far), -1);
    for (const packet of ['one', 'two']) native.sendPacket(near, Buffer.from(packet), 0, packet.length);
    native.shutdownWrite(near);
    assert.deepEqual([receive(far), receive(far), receive(far)], ['one', 'two', 0]);
    native.sendPacket(far, Buffer.from('back'), 0, 4);
    assert.equal(receive(near), 'back');
    native.closeDescriptor(far);
    assert.throws(() => native.sendPacket(near, Buffer.from('x'), 0, 1), { code: 'EPIPE' });
    native.closeDescriptor(near);
  });

  it('refuses a packet that does not fit instead of cutting it', () => {
    using directory = scratch();
    const { near, far } = connected(`${directory.path}/s`);
    native.sendPacket(near, Buffer.alloc(10), 0, 10);
    assert.throws(() => native.receivePacket(far, Buffer.alloc(9), 0, 9), { code: 'EMSGSIZE' });
    native.closeDescriptor(near);
    native.closeDescriptor(far);
  });

  it('says when it would block, and when it no longer would', async () => {
    using directory = scratch();
    const { near, far } = connected(`${directory.path}/s`);
    const packet = Buffer.alloc(30_000);
    let sent = 0;
    while (native.sendPacket(near, packet, 0, packet.length) > 0) sent += 1;
    assert.ok(sent > 0 && sent < 100);
    const writable = eventOn(near, native.WRITABLE);
    for (let count = 0; count < sent; count++) native.receivePacket(far, Buffer.alloc(30_000), 0, 30_000);
    assert.equal(await writable, native.WRITABLE);
    native.closeDescriptor(near);
    native.closeDescriptor(far);
  });

  it('reaches paths that are longer than a socket address', () => {
    using directory = scratch();
    const long = join(directory.path, 'd'.repeat(200));
    mkdirSync(long);
    const { near, far } = connected(`${long}/socket`);
    native.sendPacket(near, Buffer.from('far'), 0, 3);
    assert.equal(receive(far), 'far');
    native.closeDescriptor(near);
    native.closeDescriptor(far);
  });
});

describe('SCM_RIGHTS', () => {
  it('hands over a descriptor, close-on-exec, with its name', () => {
    using directory = scratch();
    const path = `${directory.path}/s`;
    const listener = native.listenStream(path);
    const sender = native.connectStream(path);
    const receiver = native.acceptConnection(listener);
    assert.equal(native.receiveDescriptor(receiver), undefined);
    const file = openSync('/etc/hostname', 'r');
    native.sendDescriptor(sender, file, '/dev/pts/0');
    const received = native.receiveDescriptor(receiver);
    assert.equal(received?.name, '/dev/pts/0');
    assert.ok(received.fd !== file && readSync(received.fd, Buffer.alloc(1)) === 1);
    assert.deepEqual(native.peerCredentials(receiver), {
      pid: process.pid,
      uid: process.getuid?.(),
      gid: process.getgid?.(),
    });
    writeFileSync(sender, 'no descriptor');
    assert.throws(() => native.receiveDescriptor(receiver), { code: 'EPROTO' });
    native.closeDescriptor(sender);
    assert.throws(() => native.receiveDescriptor(receiver), { code: 'ECONNRESET' });
    for (const fd of [file, received.fd, receiver, listener]) native.closeDescriptor(fd);
  });
});

describe('Poll', () => {
  it('tells when there is something to read, again and again until it is read', async () => {
    const ends = native.openPipe();
    writeFileSync(ends.write, 'x');
    for (const _ of [1, 2]) assert.equal(await eventOn(ends.read, native.READABLE), native.READABLE);
    native.closeDescriptor(ends.read);
    native.closeDescriptor(ends.write);
  });

  it('tells that it stopped when the descriptor failed', async () => {
    const ends = native.openPipe();
    native.closeDescriptor(ends.read);
    assert.equal(await eventOn(ends.write, native.WRITABLE), native.READABLE | native.WRITABLE | native.STOPPED);
    native.closeDescriptor(ends.write);
  });

  it('is one per descriptor, for descriptors that can wait', () => {
    const ends = native.openPipe();
    const poll = new native.Poll(ends.read, () => {});
    poll.watch(native.READABLE);
    assert.throws(() => new native.Poll(ends.read, () => {}), { code: 'EEXIST' });
    poll.close();
    poll.close();
    assert.throws(() => poll.watch(native.READABLE), { code: 'EBADF' });
    native.closeDescriptor(ends.read);
    native.closeDescriptor(ends.write);
    const file = openSync('/etc/hostname', 'r');
    assert.throws(() => new native.Poll(file, () => {}), { code: 'EPERM' });
    closeSync(file);
  });

  it('does not hold up the end of a process or of a worker, and a throwing callback is an uncaught exception', async () => {
    const index = JSON.stringify(new URL('../index.js', import.meta.url).href);
    const open = `const n = await import(${index}); const p = n.openPipe(); const poll = new n.Poll(p.read, () => { throw new Error('seen'); }); poll.watch(n.READABLE);`;
    await promisify(execFile)(process.execPath, ['--input-type=module', '-e', `${open} poll.unref();`]);
    const throwing = `${open} (await import('node:fs')).writeSync(p.write, 'x');`;
    await assert.rejects(promisify(execFile)(process.execPath, ['--input-type=module', '-e', throwing]), /Error: seen/);
    const worker = new Worker(`(async () => { ${open} require('node:worker_threads').parentPort.postMessage(1); })()`, {
      eval: true,
    });
    await new Promise((resolve) => worker.once('message', resolve));
    assert.equal(await worker.terminate(), 1);
  });
});

describe('terminals and pipes', () => {
  it('set and tell the size of a window', () => {
    const { fd, path } = native.openTerminal();
    const slave = openSync(path, 'r+');
    native.setWindowSize(fd, 43, 132);
    assert.deepEqual(native.getWindowSize(slave), { rows: 43, columns: 132 });
    assert.throws(() => native.setWindowSize(fd, 65_536, 1), { code: 'EINVAL' });
    native.closeDescriptor(slave);
    assert.throws(() => native.readDescriptor(fd, Buffer.alloc(1), 0, 1), { code: 'EIO' });
    native.closeDescriptor(fd);
  });

  it('take a larger buffer', () => {
    const ends = native.openPipe();
    native.setPipeSize(ends.write, 128 * 1024);
    native.setNonBlocking(ends.write);
    assert.equal(native.writeDescriptor(ends.write, Buffer.alloc(200_000), 0, 200_000), 128 * 1024);
    assert.equal(native.writeDescriptor(ends.write, Buffer.alloc(1), 0, 1), -1);
    native.closeDescriptor(ends.read);
    native.closeDescriptor(ends.write);
  });
});

describe('pidfds', () => {
  it('signal a process and become readable at its end', async () => {
    const child = spawn('sleep', ['60']);
    const pidfd = native.pidfdOpen(child.pid ?? 0);
    const ended = eventOn(pidfd, native.READABLE);
    native.pidfdSendSignal(pidfd, 9);
    await ended;
    await new Promise((resolve) => child.once('exit', resolve));
    assert.throws(() => native.pidfdSendSignal(pidfd, 0), { code: 'ESRCH' });
    native.closeDescriptor(pidfd);
  });
});

describe('files', () => {
  it('make device nodes and keep extended attributes', () => {
    using directory = scratch();
    const node = `${directory.path}/whiteout`;
    native.makeNode(node, 0o020_000, 0, 0);
    assert.ok(statSync(node).isCharacterDevice() && statSync(node).rdev === 0);
    native.setAttribute(directory.path, 'trusted.test', Buffer.from('y'));
    assert.equal(native.getAttribute(directory.path, 'trusted.test')?.toString(), 'y');
    assert.equal(native.getAttribute(directory.path, 'trusted.none'), undefined);
    assert.match(native.listAttributeNames(directory.path).toString(), /trusted\.test\0/);
  });

  it('are locked by one holder at a time', () => {
    using directory = scratch();
    const [one, two] = [1, 2].map(() => openSync(`${directory.path}/lock`, 'a'));
    assert.ok(one !== undefined && two !== undefined);
    assert.deepEqual([native.lockDescriptor(one), native.lockDescriptor(two)], [true, false]);
    closeSync(one);
    assert.equal(native.lockDescriptor(two), true);
    closeSync(two);
  });
});

describe('mount', () => {
  it('mounts, unmounts, and says what failed', async () => {
    using directory = scratch();
    await native.mount('none', directory.path, 'tmpfs', 0, 'size=64k');
    writeFileSync(`${directory.path}/hidden`, '');
    await native.umount2(directory.path, 0);
    assert.deepEqual(readdirSync(directory.path), []);
    await assert.rejects(native.umount2(directory.path, 0), {
      code: 'EINVAL',
      syscall: 'umount2',
      path: directory.path,
    });
    await assert.rejects(native.mount('none', '/nowhere', 'tmpfs', 0, ''), {
      code: 'ENOENT',
      syscall: 'mount',
      path: '/nowhere',
    });
    assert.throws(() => native.mount('none', directory.path, 'tmpfs', 0, 'x'.repeat(4096)), { code: 'E2BIG' });
  });
});

describe('10,000 rounds', () => {
  it('leak neither descriptors nor memory', { timeout: 60_000 }, async () => {
    using directory = scratch();
    for (let warmUp = 0; warmUp < 500; warmUp++) await round(directory.path);
    const before = usage();
    for (let count = 0; count < 10_000; count++) await round(directory.path);
    const after = usage();
    assert.equal(after.descriptors, before.descriptors);
    assert.ok(after.rssBytes - before.rssBytes < 24 * 1024 * 1024, `${after.rssBytes - before.rssBytes} bytes more`);
  });
});

/** One of everything that allocates or opens, with its failures. */
async function round(directory: string): Promise<void> {
  const { near, far } = connected(`${directory}/s`);
  const seen = Promise.withResolvers<number>();
  const poll = new native.Poll(far, seen.resolve);
  poll.watch(native.READABLE);
  native.sendPacket(near, Buffer.from('packet'), 0, 6);
  await seen.promise;
  assert.equal(receive(far), 'packet');
  poll.close();
  native.sendDescriptor(near, far, 'name');
  const received = native.receiveDescriptor(far);
  assert.throws(() => native.connectSeqpacket(`${directory}/nobody`));
  await native.writeSmallFile(`${directory}/small/file`, Buffer.from('x'), 0o600, 0, false).catch(() => {});
  await native.readSmallFile('/proc/self/comm', 100, 0);
  await native.removePaths([`${directory}/none`, `${directory}/nobody`], false);
  await native.removeTreePart(`${directory}/none`, 1);
  native.closeDescriptor(native.openMemoryFile('m', Buffer.from('content')));
  assert.throws(() => native.getAttribute(`${directory}/nobody`, 'user.x'));
  await assert.rejects(native.umount2(`${directory}/nobody`, 0));
  for (const fd of [near, far, received?.fd ?? -1]) native.closeDescriptor(fd);
}
