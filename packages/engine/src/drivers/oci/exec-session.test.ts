import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { describe, it } from 'node:test';
import type { ContainerId } from '@fairlead/protocol';
import {
  execIn,
  pause,
  readAll,
  runContainer,
  SUITE_PROGRAMS,
  until,
  within,
} from '../../core/ports/container-runtime.suite.ts';
import type { ExecProcess } from '../../core/ports/container-runtime.ts';
import { processPresence, findProcess } from '../../host/proc.ts';
import { EXEC_DRAIN_MS } from './exec-transport.ts';
import { openOciSubject, type OciSubject } from './test/oci-subject.ts';

const MIB: number = 1024 * 1024;

for (const runtime of ['crun', 'runc'] as const) {
  const inContainer = async (test: (subject: OciSubject, id: ContainerId) => Promise<void>): Promise<void> => {
    await using subject = await openOciSubject(runtime);
    const { id } = await runContainer(subject, SUITE_PROGRAMS.sleeps);
    await test(subject, id);
  };

  describe(`exec by ${runtime}`, () => {
    const codes = [
      { script: 'exit 0', code: 0 },
      { script: 'exit 255', code: 255 },
      { script: 'kill -9 $$', code: 137 },
      { script: 'kill -15 $$', code: 143 },
    ];
    for (const { script, code } of codes) {
      it(`${script} → ${code}`, () =>
        inContainer(async (subject, id) => {
          await using exec = execIn(subject, id, { args: ['sh', '-c', script] });
          assert.equal(await exec.exited, code);
          assert.deepEqual(await readAll(exec), { stdout: '', stderr: '' });
        }));
    }

    it('carries 200 MB through stdin, cat and stdout intact, in bounded memory', () => inContainer(carriesMuch));
    it('a reader that stops makes only that process wait', () => inContainer(stallsOnlyItself));
    it('a process that does not read makes the writer wait, and its end lets go of it', () => inContainer(writerWaits));
    it('a connection that goes away leaves no descriptor behind', () => inContainer(leavesNothing));
    it('output to nobody is thrown away, without a signal to the process', () => inContainer(discards));
    it('gives the program its three descriptors and no other', () => inContainer(givesNoOther));
    it('to which nobody will listen has no pipe of ours', () => inContainer(isOnItsOwn));
    it('a failed start leaves no descriptor and no file', () => inContainer(failsCleanly));
    it('refuses a relative working directory', () => inContainer(refusesRelativeDirectory));
    it('gives each of 100 in a row, and 20 at once, its own exit code', () => inContainer(givesEachItsCode));
    it(`a child that holds stdout: exit known at once, output cut after ${EXEC_DRAIN_MS} ms`, () => inContainer(cuts));
    it('a slow reader gets everything, however long after the exit', () => inContainer(waitsForSlowReader));
    it('reads fast: more than 100 MB/s on a host that does other things too', () => inContainer(readsFast));
  });

  describe(`exec on a terminal by ${runtime}`, () => {
    it('has the size that was asked for, and is resized', () => inContainer(resizes));
    it('keeps a size that was set before it started', () => inContainer(resizesEarly));
    it('a shell lives on when its connection goes away', () => inContainer(shellLivesOn));
    it('a start that fails prints nothing', () => inContainer(failsSilently));
    it('a start in a container that ends says so, and leaves no file', () => inContainer(endsWithTheContainer));
  });
}

async function carriesMuch(subject: OciSubject, id: ContainerId): Promise<void> {
  await using exec = execIn(subject, id, { args: ['cat'], stdin: true });
  const block = randomBytes(MIB);
  const sent = createHash('sha256');
  const rssBefore = process.memoryUsage().rss;
  let rssMost = 0;
  const writing = (async () => {
    for (let count = 0; count < 200; count++) {
      block.writeUInt32LE(count, 0);
      sent.update(block);
      await exec.write(Buffer.from(block));
      rssMost = Math.max(rssMost, process.memoryUsage().rss);
    }
    await exec.endInput();
  })();
  const received = createHash('sha256');
  let total = 0;
  for await (const { bytes } of exec.output) {
    received.update(bytes);
    total += bytes.length;
  }
  await writing;
  assert.equal(total, 200 * MIB);
  assert.equal(received.digest('hex'), sent.digest('hex'));
  assert.equal(await exec.exited, 0);
  assert.ok(rssMost - rssBefore < 120 * MIB, `memory grew by ${Math.round((rssMost - rssBefore) / MIB)} MiB`);
}

async function stallsOnlyItself(subject: OciSubject, id: ContainerId): Promise<void> {
  await using stalled = execIn(subject, id, { args: ['sh', '-c', 'yes | head -c 20000000; echo done >&2'] });
  const pid = await stalled.started;
  await pause(200);
  const output = stalled.output[Symbol.asyncIterator]();
  await output.next();
  await pause(300);
  assert.notEqual(findProcess(pid), undefined, 'it waits for its reader');
  await using other = execIn(subject, id, { args: SUITE_PROGRAMS.prints });
  assert.equal((await within(readAll(other), 'output of the other')).stdout, 'out\n');
  assert.equal(await other.exited, 5);
  const text = { stdout: 0, stderr: '' };
  for (let next = await output.next(); next.done !== true; next = await output.next()) {
    if (next.value.stream === 'stdout') text.stdout += next.value.bytes.length;
    else text.stderr += Buffer.from(next.value.bytes).toString();
  }
  assert.equal(text.stderr, 'done\n');
  assert.ok(text.stdout > 19_000_000);
}

async function writerWaits(subject: OciSubject, id: ContainerId): Promise<void> {
  await using exec = execIn(subject, id, { args: ['sleep', '0.4'], stdin: true });
  const block = new Uint8Array(MIB);
  let written = 0;
  const writing = (async () => {
    for (let count = 0; count < 20; count++) {
      await exec.write(block);
      written += 1;
    }
  })();
  await exec.started;
  await pause(100);
  assert.ok(written < 5, `${written} MiB were taken by a process that does not read`);
  assert.equal(await within(exec.exited, 'exit'), 0);
  await within(writing, 'end of writing');
}

async function leavesNothing(subject: OciSubject, id: ContainerId): Promise<void> {
  const before = await descriptors();
  const gone: ExecProcess[] = [];
  for (let count = 0; count < 5; count++) {
    const exec = execIn(subject, id, { args: ['sh', '-c', 'cat; yes | head -c 1000000; exit 9'], stdin: true });
    await exec[Symbol.asyncDispose]();
    gone.push(exec);
    if (count === 0) continue;
    const reading = execIn(subject, id, { args: ['sh', '-c', 'yes'] });
    await reading.started;
    for await (const { bytes } of reading.output) {
      if (bytes.length > 0) break;
    }
    await reading[Symbol.asyncDispose]();
    const pid = await reading.started;
    process.kill(pid, 'SIGKILL');
    assert.equal(await within(reading.exited, 'exit of yes'), 137);
  }
  for (const exec of gone) assert.equal(await within(exec.exited, 'exit'), 9);
  await until(async () => (await descriptors()) <= before, 'as many descriptors as before');
}

async function discards(subject: OciSubject, id: ContainerId): Promise<void> {
  const exec = execIn(subject, id, { args: ['sh', '-c', 'yes | head -c 3000000 && exit 6; exit 1'] });
  await exec[Symbol.asyncDispose]();
  assert.equal(await within(exec.exited, 'exit'), 6);
}

async function givesNoOther(subject: OciSubject, id: ContainerId): Promise<void> {
  for (const stdin of [false, true]) {
    // The fourth is the directory that the shell lists.
    await using exec = execIn(subject, id, { args: ['sh', '-c', 'echo /proc/self/fd/*'], stdin });
    assert.equal((await readAll(exec)).stdout, [0, 1, 2, 3].map((fd) => `/proc/self/fd/${fd}`).join(' ') + '\n');
  }
}

async function isOnItsOwn(subject: OciSubject, id: ContainerId): Promise<void> {
  const before = await descriptors();
  const args = ['sh', '-c', 'for fd in 0 1 2; do [ -c /proc/self/fd/$fd ] || exit 1; done; echo x && exit 4'];
  await using exec = execIn(subject, id, { args, detached: true, stdin: true });
  assert.ok((await exec.started) > 0);
  assert.deepEqual(await readAll(exec), { stdout: '', stderr: '' });
  assert.equal(await exec.exited, 4);
  await until(async () => (await descriptors()) <= before, 'as many descriptors as before');
  await using failing = execIn(subject, id, { args: ['/none'], detached: true });
  await assert.rejects(failing.started, /no such file or directory/);
}

async function failsCleanly(subject: OciSubject, id: ContainerId): Promise<void> {
  const before = await descriptors();
  for (const tty of [false, true]) {
    const exec = execIn(subject, id, { args: ['/bin/not-executable'], stdin: true, tty });
    await assert.rejects(within(exec.started, 'refusal'), /permission denied/);
    assert.equal(await exec.exited, 126);
    await exec.write(Buffer.from('x'));
    await exec[Symbol.asyncDispose]();
  }
  await until(async () => (await descriptors()) <= before, 'as many descriptors as before');
  assert.deepEqual(await readdir(subject.execsDirectory), []);
}

/** Which of them have started by then is the kernel's to say. */
async function endsWithTheContainer(subject: OciSubject, id: ContainerId): Promise<void> {
  const execs = Array.from({ length: 12 }, () => execIn(subject, id, { args: SUITE_PROGRAMS.sleeps, tty: true }));
  await Promise.race(execs.map(({ started }) => started));
  await subject.runtime.delete(id);
  for (const exec of execs) {
    await within(exec.exited, 'its end');
    await exec.started.catch((error: unknown) => assert.doesNotMatch(String(error), /could not be run/));
    await exec[Symbol.asyncDispose]();
  }
  assert.deepEqual(await readdir(subject.execsDirectory), []);
}

async function refusesRelativeDirectory(subject: OciSubject, id: ContainerId): Promise<void> {
  const { process: document } = subject.spec(id, ['true']);
  await using exec = execIn(subject, id, { args: ['true'], process: { ...document, cwd: 'etc' } });
  await assert.rejects(exec.started, {
    message: 'OCI runtime exec failed: exec failed: Cwd must be an absolute path: unknown',
  });
  assert.equal(await exec.exited, 128);
}

async function givesEachItsCode(subject: OciSubject, id: ContainerId): Promise<void> {
  const one = async (code: number): Promise<void> => {
    await using exec = execIn(subject, id, { args: ['sh', '-c', `exit ${code}`] });
    for await (const _ of exec.output);
    assert.equal(await exec.exited, code);
  };
  for (let code = 0; code < 100; code++) await one(code);
  await Promise.all(Array.from({ length: 20 }, (_, index) => one(100 + index)));
}

async function cuts(subject: OciSubject, id: ContainerId): Promise<void> {
  await using exec = execIn(subject, id, { args: ['sh', '-c', 'echo now; (sleep 20; echo late) & exit 5'] });
  assert.equal(await exec.exited, 5);
  const exitedAt = performance.now();
  assert.deepEqual(await readAll(exec), { stdout: 'now\n', stderr: '' });
  const elapsedMs = performance.now() - exitedAt;
  // The exit waits neither for the child nor for its output.
  assert.ok(elapsedMs > EXEC_DRAIN_MS - 500 && elapsedMs < EXEC_DRAIN_MS + 10_000, `cut after ${elapsedMs} ms`);
}

async function waitsForSlowReader(subject: OciSubject, id: ContainerId): Promise<void> {
  await using exec = execIn(subject, id, { args: ['sh', '-c', 'head -c 200000 /dev/zero; echo end'] });
  await exec.exited;
  await pause(EXEC_DRAIN_MS + 300);
  assert.equal((await readAll(exec)).stdout.length, 200_004);
}

async function readsFast(subject: OciSubject, id: ContainerId): Promise<void> {
  await using exec = execIn(subject, id, { args: ['dd', 'if=/dev/zero', 'bs=1M', 'count=500'] });
  await exec.started;
  const start = performance.now();
  let total = 0;
  for await (const { stream, bytes } of exec.output) if (stream === 'stdout') total += bytes.length;
  assert.equal(total, 500 * MIB);
  const rate = total / 1000 / (performance.now() - start);
  assert.ok(rate > 100, `${rate.toFixed(0)} MB/s`);
}

async function resizes(subject: OciSubject, id: ContainerId): Promise<void> {
  // crun sets the size when the program may run already; before, stty has nothing to say.
  const script = 'until [ "$(stty size 2>&-)" ]; do sleep 0.01; done; stty size; read a; stty size; exit 4';
  const size = { rows: 33, columns: 77 };
  await using exec = execIn(subject, id, { args: ['sh', '-c', script], tty: true, stdin: true, size });
  const output = exec.output[Symbol.asyncIterator]();
  let text = '';
  const readUntil = async (wanted: RegExp): Promise<void> => {
    while (!wanted.test(text)) {
      const next = await within(output.next(), `output matching ${String(wanted)}`);
      if (next.done === true) throw new Error(`ended with ${text}`);
      text += Buffer.from(next.value.bytes).toString();
    }
  };
  await readUntil(/33 77\r\n/);
  exec.resize({ rows: 44, columns: 99 });
  await pause(100);
  await exec.write(Buffer.from('\n'));
  await readUntil(/44 99\r\n/);
  assert.equal(await within(exec.exited, 'exit'), 4);
  assert.equal((await within(output.next(), 'end')).done, true);
}

async function resizesEarly(subject: OciSubject, id: ContainerId): Promise<void> {
  await using exec = execIn(subject, id, { args: ['sh', '-c', 'sleep 0.2; stty size'], tty: true });
  exec.resize({ rows: 10, columns: 20 });
  assert.equal((await readAll(exec)).stdout, '10 20\r\n');
}

async function shellLivesOn(subject: OciSubject, id: ContainerId): Promise<void> {
  const exec = execIn(subject, id, {
    args: ['sh', '-c', 'echo hi; sleep 0.5; echo again; exit 8'],
    tty: true,
    stdin: true,
  });
  for await (const _ of exec.output) break;
  await exec[Symbol.asyncDispose]();
  const shell = findProcess(await exec.started);
  await pause(100);
  assert.ok(shell !== undefined && processPresence(shell) === 'running');
  assert.equal(await within(exec.exited, 'exit'), 8);
}

async function failsSilently(subject: OciSubject, id: ContainerId): Promise<void> {
  await using exec = execIn(subject, id, { args: ['nosuch'], tty: true, size: { rows: 10, columns: 20 } });
  assert.deepEqual(await within(readAll(exec), 'end of output'), { stdout: '', stderr: '' });
  await assert.rejects(exec.started, /executable file not found/);
  assert.equal(await exec.exited, 127);
}

async function descriptors(): Promise<number> {
  return (await readdir('/proc/self/fd')).length;
}
