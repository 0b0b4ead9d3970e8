import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { constants as osConstants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import * as native from '../index.js';

/** An error as Node's own system errors look. */
interface SystemError {
  readonly code: string;
  readonly syscall: string;
  readonly path?: string;
}

function scratch(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'fairlead-native-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Waits for the first event on a descriptor. */
async function eventOn(fd: number, events: number): Promise<number> {
  const seen = Promise.withResolvers<number>();
  const poll = new native.Poll(fd, seen.resolve);
  poll.watch(events);
  const result = await seen.promise;
  poll.close();
  return result;
}

function connected(path: string): { readonly near: number; readonly far: number } {
  const listener = native.listenSeqpacket(path);
  const near = native.connectSeqpacket(path);
  const far = native.acceptConnection(listener);
  native.closeDescriptor(listener);
  rmSync(path);
  return { near, far };
}

/** Waits for a started process, collects it, and closes its pidfd. */
async function ended({
  pidfd,
}: {
  readonly pidfd: number;
}): Promise<{ readonly code: number; readonly signal: number }> {
  await eventOn(pidfd, native.READABLE);
  const end = native.reapProcess(pidfd);
  assert.throws(() => native.reapProcess(pidfd), { code: 'ECHILD' });
  native.closeDescriptor(pidfd);
  assert.ok(end !== undefined);
  return end;
}

async function spoken(
  files: readonly string[],
  argv: readonly string[],
  setting: native.SpawnSetting,
): Promise<{ readonly text: string; readonly pid: number }> {
  const ends = native.openPipe();
  const started = native.spawnProcess(files, argv, { ...setting, descriptors: [-1, ends.write, -1] });
  native.closeDescriptor(ends.write);
  await ended(started);
  const room = Buffer.alloc(4096);
  const text = room.toString('utf8', 0, native.readDescriptor(ends.read, room, 0, room.length));
  native.closeDescriptor(ends.read);
  return { text, pid: started.pid };
}

/** Pids of our children, zombies too. */
function children(): readonly string[] {
  return readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').split(' ').filter(Boolean);
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

  it('refuses writes after the other side wants no more, and does not see that as the end', () => {
    using directory = scratch();
    const { near, far } = connected(`${directory.path}/s`);
    native.shutdownRead(near);
    assert.throws(() => native.sendPacket(far, Buffer.from('x'), 0, 1), { code: 'EPIPE' });
    assert.equal(receive(far), -1);
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

describe('spawnProcess', { timeout: 30_000 }, () => {
  const setting = {
    env: ['PATH=/bin:/usr/bin', 'WHAT=said'],
    cwd: undefined,
    descriptors: [-1, -1, -1],
    session: false,
  };

  it('gives the program its name, environment, directory and session', async () => {
    using directory = scratch();
    const script = 'echo "$0 $WHAT $(pwd) $(cut -d" " -f6 /proc/self/stat)"';
    const { text, pid } = await spoken(['/bin/sh'], ['named', '-c', script], {
      ...setting,
      cwd: directory.path,
      session: true,
    });
    assert.equal(text, `named said ${directory.path} ${pid}\n`);
  });

  it('leaves no signal blocked and none ignored', async () => {
    const { text } = await spoken(['/bin/grep'], ['grep', '-E', 'Sig(Blk|Ign)', '/proc/self/status'], setting);
    assert.equal(text.match(/0000000000000000/g)?.length, 2, text);
  });

  it('places descriptors whose numbers cross, and gives no other', async () => {
    const [one, two, other] = [native.openPipe(), native.openPipe(), native.openPipe()];
    const descriptors = Array.from({ length: 40 }, (_, at) =>
      at === one.write ? two.write : at === two.write ? one.write : -1,
    );
    const script = `printf one >&${two.write}; printf two >&${one.write}; [ ! -e /proc/self/fd/${other.read} ]`;
    // dash takes single digits only.
    const started = native.spawnProcess(['/bin/bash'], ['bash', '-c', script], {
      ...setting,
      descriptors: descriptors.with(other.read, -1),
    });
    assert.deepEqual(await ended(started), { code: 1, signal: 0 }, 'the null device is there');
    for (const [pipe, said] of [
      [one, 'one'],
      [two, 'two'],
    ] as const) {
      const room = Buffer.alloc(10);
      assert.equal(room.toString('utf8', 0, native.readDescriptor(pipe.read, room, 0, 10)), said);
    }
    for (const { read, write } of [one, two, other]) for (const fd of [read, write]) native.closeDescriptor(fd);
  });

  it("closes what the engine's own parent left open to it", async () => {
    const index = JSON.stringify(new URL('../index.js', import.meta.url).href);
    const script = `const n = await import(${index}); const { pidfd } = n.spawnProcess(['/bin/ls'], ['ls', '/proc/self/fd/'], { env: [], cwd: undefined, descriptors: [-1, 1, 2], session: false }); const p = new n.Poll(pidfd, () => { n.reapProcess(pidfd); p.close(); }); p.watch(1);`;
    const file = openSync('/etc/hostname', 'r');
    const stdio = Array.from({ length: 41 }, (_, at) => (at === 40 ? file : at === 1 ? 'pipe' : 'ignore')) as never;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio });
    const exited = new Promise((resolve) => child.once('exit', resolve));
    let text = '';
    for await (const chunk of child.stdout ?? []) text += String(chunk);
    closeSync(file);
    await exited;
    // ls has the directory that it lists open.
    assert.deepEqual(text.trim().split('\n'), ['0', '1', '2', '3']);
  });

  it('says what failed, and leaves no child behind', async () => {
    using directory = scratch();
    writeFileSync(`${directory.path}/text`, '');
    const cases = [
      { files: ['/nowhere/x', '/etc/hostname/x'], error: { code: 'ENOTDIR', syscall: 'execve', path: 'x' } },
      { files: [`${directory.path}/text`, '/nowhere/x'], error: { code: 'EACCES', syscall: 'execve', path: 'x' } },
      { files: ['/bin/true'], cwd: '/nowhere', error: { code: 'ENOENT', syscall: 'chdir', path: '/nowhere' } },
      { files: ['/bin/true'], descriptors: [1000], error: { code: 'EBADF', syscall: 'dup2' } },
    ];
    const before = usage().descriptors;
    for (const { files, error, ...changes } of cases) {
      assert.throws(() => native.spawnProcess(files, ['x'], { ...setting, ...changes }), error);
    }
    assert.throws(() => native.spawnProcess([], ['x'], setting), TypeError);
    assert.throws(() => native.spawnProcess(['/bin/true'], ['a\0b'], setting), TypeError);
    assert.throws(() => native.spawnProcess(['/bin/true'], ['x'], { ...setting, descriptors: [-2] }), TypeError);
    assert.equal(usage().descriptors, before);
    assert.deepEqual(children(), []);
  });

  it('gives each its own end, also beside child_process', async () => {
    const codes = Array.from({ length: 40 }, (_, code) => code);
    const [ours, nodes] = await Promise.all([
      Promise.all(codes.map((code) => ended(native.spawnProcess(['/bin/sh'], ['sh', '-c', `exit ${code}`], setting)))),
      Promise.all(
        codes.map((code) => new Promise((resolve) => spawn('sh', ['-c', `exit ${code}`]).once('exit', resolve))),
      ),
    ]);
    assert.deepEqual(
      ours.map(({ code }) => code),
      codes,
    );
    assert.deepEqual(nodes, codes);
    const killed = native.spawnProcess(['/bin/sleep'], ['sleep', '60'], setting);
    assert.equal(native.reapProcess(killed.pidfd), undefined);
    native.pidfdSendSignal(killed.pidfd, 15);
    assert.deepEqual(await ended(killed), { code: 0, signal: 15 });
    assert.deepEqual(children(), []);
  });

  it('leaks neither descriptors nor memory in 1,000 rounds', async () => {
    const spawnRound = async (): Promise<void> => {
      await ended(native.spawnProcess(['/nowhere/true', '/bin/true'], ['true', 'x'.repeat(1000)], setting));
      assert.throws(() => native.spawnProcess(['/nowhere/true'], ['true'], setting));
    };
    for (let warmUp = 0; warmUp < 50; warmUp++) await spawnRound();
    const before = usage();
    for (let count = 0; count < 1000; count++) await spawnRound();
    const after = usage();
    assert.equal(after.descriptors, before.descriptors);
    assert.ok(after.rssBytes - before.rssBytes < 16 * 1024 * 1024, `${after.rssBytes - before.rssBytes} bytes more`);
    assert.deepEqual(children(), []);
  });
});

describe('small files', () => {
  it('are read and written whole', async () => {
    using directory = scratch();
    const path = `${directory.path}/file`;
    for (const size of [0, 1, 4095, 4096, 4097, 200_000]) {
      const content = Buffer.alloc(size, 'x');
      await native.writeSmallFile(path, content, 0o640, constants.O_CREAT | constants.O_TRUNC, size === 1);
      assert.deepEqual(await native.readSmallFile(path, size, 0), content);
      if (size > 0)
        await assert.rejects(native.readSmallFile(path, size - 1, 0), { code: 'EFBIG', syscall: 'read', path });
    }
    assert.equal(statSync(path).mode & 0o777, 0o640);
    assert.match((await native.readSmallFile('/proc/self/status', 100_000, 0)).toString(), /^Name:/);
  });

  it('that are none are told apart', async () => {
    using directory = scratch();
    const fifo = `${directory.path}/fifo`;
    native.makeNode(fifo, 0o010_600, 0, 0);
    await assert.rejects(native.readSmallFile(fifo, 10, constants.O_NONBLOCK), { code: 'EINVAL' });
    await assert.rejects(native.readSmallFile(`${directory.path}/none`, 10, 0), { code: 'ENOENT', syscall: 'open' });
    await assert.rejects(native.readSmallFile(directory.path, 10, 0), { code: 'EISDIR' });
    writeFileSync(`${directory.path}/there`, 'kept');
    const again = native.writeSmallFile(
      `${directory.path}/there`,
      Buffer.from('x'),
      0o600,
      constants.O_CREAT | constants.O_EXCL,
      false,
    );
    await assert.rejects(again, { code: 'EEXIST', syscall: 'open' });
    assert.equal((await native.readSmallFile(`${directory.path}/there`, 10, 0)).toString(), 'kept');
    await assert.rejects(native.writeSmallFile('/dev/full', Buffer.from('x'), 0o600, 0, false), { code: 'ENOSPC' });
  });

  it('are removed, each with its own outcome', async () => {
    using directory = scratch();
    const at = (name: string): string => join(directory.path, name);
    writeFileSync(at('file'), '');
    mkdirSync(at('full/child'), { recursive: true });
    mkdirSync(at('empty'));
    const { EISDIR, ENOTEMPTY, ENOTDIR } = osConstants.errno;
    assert.deepEqual(await native.removePaths([at('file'), at('none'), at('full')], false), [0, 0, EISDIR]);
    writeFileSync(at('file'), '');
    assert.deepEqual(await native.removePaths([at('full'), at('empty'), at('none'), at('file')], true), [
      ENOTEMPTY,
      0,
      0,
      ENOTDIR,
    ]);
    assert.deepEqual(await native.removePaths([], true), []);
  });

  it('live in memory, and are opened again by their descriptor', () => {
    const fd = native.openMemoryFile('test', Buffer.from('content'));
    assert.equal(readFileSync(`/proc/self/fd/${fd}`, 'utf8'), 'content');
    native.closeDescriptor(fd);
  });

  it('are seen read-only through a mount of their own, and run from there', async () => {
    using directory = scratch();
    const path = `${directory.path}/program`;
    writeFileSync(path, '#!/bin/sh\nexit 9\n', { mode: 0o755 });
    const fd = native.openReadOnly(path);
    assert.throws(() => openSync(`/proc/self/fd/${fd}`, 'r+'), { code: 'EROFS' });
    const own = `/proc/${process.pid}/fd/${fd}`;
    const started = native.spawnProcess([own], [own], {
      env: [],
      cwd: undefined,
      descriptors: [-1, -1, -1],
      session: false,
    });
    assert.deepEqual(await ended(started), { code: 9, signal: 0 });
    native.closeDescriptor(fd);
    assert.throws(() => native.openReadOnly('/nowhere'), { code: 'ENOENT', syscall: 'open_tree', path: '/nowhere' });
  });
});

describe('removeTreePart', () => {
  it('removes all, in as many parts as it takes, and follows no link', async () => {
    using directory = scratch();
    const tree = join(directory.path, 'tree');
    mkdirSync(join(directory.path, 'kept'));
    writeFileSync(join(directory.path, 'kept/file'), '');
    for (const name of ['a/b/c/d', 'e', 'f/g']) {
      mkdirSync(join(tree, name), { recursive: true });
      for (let file = 0; file < 30; file++) writeFileSync(join(tree, name, `${file}`), '');
      symlinkSync('../../kept', join(tree, name, 'link'));
      symlinkSync(join(directory.path, 'kept'), join(tree, name, 'absolute'));
    }
    let parts = 1;
    while (await native.removeTreePart(tree, 10)) parts += 1;
    assert.ok(parts >= 10 && parts < 15, `${parts}`);
    assert.deepEqual(readdirSync(directory.path), ['kept']);
    assert.deepEqual(readdirSync(join(directory.path, 'kept')), ['file']);
    symlinkSync('kept', tree);
    for (const path of [tree, tree, join(directory.path, 'kept')])
      assert.equal(await native.removeTreePart(path, 10), false);
    assert.deepEqual(readdirSync(directory.path), []);
  });

  it('says what it cannot remove', async () => {
    using directory = scratch();
    const deep = join(directory.path, 'deep');
    mkdirSync(join(deep, 'd/'.repeat(200)), { recursive: true });
    await assert.rejects(native.removeTreePart(deep, 1000), { code: 'EMFILE' });
    mkdirSync(join(directory.path, 'busy/mount'), { recursive: true });
    await native.mount('none', join(directory.path, 'busy/mount'), 'tmpfs', 0, '');
    await assert.rejects(native.removeTreePart(join(directory.path, 'busy'), 1000), {
      code: 'EBUSY',
      syscall: 'rmdir',
    });
    await native.umount2(join(directory.path, 'busy/mount'), 0);
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

function usage(): { readonly descriptors: number; readonly rssBytes: number } {
  globalThis.gc?.();
  return { descriptors: readdirSync('/proc/self/fd').length, rssBytes: process.memoryUsage.rss() };
}
