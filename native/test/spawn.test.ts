import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import * as native from '../index.js';
import { ended, scratch, usage } from './support.ts';

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
    // 32 and 33 are glibc's own, which lets nobody set them: what the test runner was started with shows there.
    const own = 0b11n << 31n;
    const masks = [...text.matchAll(/[0-9a-f]{16}/g)].map(([mask]) => BigInt(`0x${mask}`) & ~own);
    assert.deepEqual(masks, [0n, 0n], text);
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
