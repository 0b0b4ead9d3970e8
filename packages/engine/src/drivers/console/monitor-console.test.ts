import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isEngineError } from '@fairlead/protocol';
import type { ConsoleConnection, OutputStream } from '../../core/ports/console.ts';
import { listDirectory, makeTemporaryDirectory } from '../../host/files.ts';
import { runOrThrow } from '../../host/process.ts';
import { monitorRig } from './monitor-rig.suite.ts';

describe('MonitorConsole', { timeout: 120_000, concurrency: 1 }, () => {
  it('delivers all output of both streams from the first byte, and its end', async () => {
    await using rig = await monitorRig({ script: 'echo out; echo err >&2; exit 3' });
    await using connection = await rig.console.attach(rig.id);
    await rig.start();
    const output = await collect(connection);
    assert.deepEqual(output, { stdout: 'out\n', stderr: 'err\n' });
    assert.equal(await rig.exited(), 3);
  });

  it('makes the process wait for a reader that stalls, and loses nothing', async () => {
    await using rig = await monitorRig({ script: 'i=0; while [ $i -lt 200000 ]; do echo line $i; i=$((i+1)); done' });
    await using connection = await rig.console.attach(rig.id);
    await rig.start();
    await delay(4_000);
    const before = process.memoryUsage().rss;
    const { stdout } = await collect(connection);
    assert.ok(process.memoryUsage().rss - before < 200 * 1024 * 1024);
    assert.equal(stdout, Array.from({ length: 200_000 }, (_, index) => `line ${index}\n`).join(''));
    assert.equal(await rig.exited(), 0);
  });

  it('does not let an attacher that never reads hide the exit', async () => {
    await using rig = await monitorRig({ script: 'yes' });
    await using connection = await rig.console.attach(rig.id);
    await rig.start();
    await delay(1_000);
    const killedAt = performance.now();
    rig.kill();
    assert.equal(await rig.exited(), 137);
    const tookMs = performance.now() - killedAt;
    assert.ok(tookMs > 1_500 && tookMs < 5_000, `${tookMs} ms`);
    const { stdout } = await collect(connection);
    assert.ok(stdout.length > 100_000);
  });

  it('does the container no harm when attachers vanish in the middle of its output', async () => {
    await using rig = await monitorRig({ script: 'while :; do echo on; done', stdin: 'kept' });
    await rig.start();
    for (let round = 0; round < 100; round += 1) {
      const attachers = [1, 2, 3, 4].map((index) => rig.console.attach(rig.id, { outputOnly: index % 2 === 0 }));
      for (const connection of await Promise.all(attachers)) {
        if (round % 3 === 0) await connection.write(Buffer.from('typed'));
        if (round % 5 === 0) await firstOutput(connection);
        await connection[Symbol.asyncDispose]();
      }
    }
    await using after = await rig.console.attach(rig.id);
    assert.match(await firstOutput(after), /on\n/);
    rig.kill();
    assert.equal(await rig.exited(), 137);
  });

  it('goes on to the others when one of them stalls and then vanishes', async () => {
    await using rig = await monitorRig({ script: 'yes | head -c 3000000; exit 4', stdin: 'kept' });
    const stalled = await rig.console.attach(rig.id);
    await using reader = await rig.console.attach(rig.id, { outputOnly: true });
    await rig.start();
    const reading = collect(reader);
    await delay(500);
    await stalled[Symbol.asyncDispose]();
    assert.equal((await reading).stdout.length, 3_000_000);
    assert.equal(await rig.exited(), 4);
  });

  it('still has a terminal that its program closed and opened again', async () => {
    const script = 'exec 3>&1; exec <&- >&- 2>&- 3>&-; sleep 0.5; exec >/dev/pts/0; echo back';
    await using rig = await monitorRig({ script, tty: true });
    await using connection = await rig.console.attach(rig.id, { outputOnly: true });
    await rig.start();
    assert.equal((await collect(connection)).stdout, 'back\r\n');
    assert.equal(await rig.exited(), 0);
  });

  it('ends the input of a container with StdinOnce when the attacher says so', async () => {
    await using rig = await monitorRig({ script: 'cat; echo done', stdin: 'once' });
    await using connection = await rig.console.attach(rig.id);
    const input = 'x'.repeat(300_000);
    const [output] = await Promise.all([
      collect(connection),
      (async () => {
        await connection.write(Buffer.from('before start\n'));
        await rig.start();
        await connection.write(Buffer.from(input));
        await connection.endInput();
        await connection.endInput();
      })(),
    ]);
    assert.equal(output.stdout, `before start\n${input}done\n`);
    await connection.write(Buffer.from('nobody reads this'));
  });

  it('delivers the last output of a process that did not read its input', async () => {
    await using rig = await monitorRig({ script: 'exec 0<&-; sleep 1; echo end', stdin: 'once' });
    await using connection = await rig.console.attach(rig.id);
    await rig.start();
    const writing = (async () => {
      for (let count = 0; count < 50; count++) await connection.write(Buffer.alloc(16 * 1024));
    })();
    assert.equal((await collect(connection)).stdout, 'end\n');
    await writing;
  });

  it('keeps the input open for later attachers otherwise', async () => {
    await using rig = await monitorRig({ script: 'read a; read b; echo $a $b', stdin: 'kept' });
    await rig.start();
    {
      await using first = await rig.console.attach(rig.id);
      await first.write(Buffer.from('one\n'));
      await first.endInput();
    }
    await using second = await rig.console.attach(rig.id);
    await second.write(Buffer.from('two\n'));
    assert.equal((await collect(second)).stdout, 'one two\n');
  });

  it('does not end the input when an attacher leaves that only watched', async () => {
    await using rig = await monitorRig({ script: 'read a; echo got $a', stdin: 'once' });
    await using writer = await rig.console.attach(rig.id);
    await rig.start();
    {
      await using watcher = await rig.console.attach(rig.id, { outputOnly: true });
      await watcher.write(Buffer.from('ignored\n'));
    }
    await delay(200);
    await writer.write(Buffer.from('it\n'));
    assert.equal((await collect(writer)).stdout, 'got it\n');
  });

  it('resizes the terminal', async () => {
    const script = 'stty size; trap "stty size; exit 0" WINCH; echo ready; while :; do sleep 0.05; done';
    await using rig = await monitorRig({ script, tty: true, stdin: 'kept' });
    await using connection = await rig.console.attach(rig.id);
    await rig.console.resize(rig.id, { rows: 33, columns: 111 });
    await rig.start();
    let text = '';
    let resized = false;
    for await (const { bytes } of connection.output) {
      text += Buffer.from(bytes).toString();
      if (text.includes('ready') && !resized) {
        resized = true;
        await rig.console.resize(rig.id, { rows: 44, columns: 2_000 });
      }
      if (/44 \d+/.test(text)) break;
    }
    assert.equal(text.replaceAll('\r', ''), '33 111\nready\n44 2000\n');
  });

  it('reaches a bundle whose path is longer than a socket address', async () => {
    await using rig = await monitorRig({ script: 'echo far', longPath: true });
    assert.ok(rig.bundleDir.length > 107);
    await using connection = await rig.console.attach(rig.id);
    await rig.start();
    assert.equal((await collect(connection)).stdout, 'far\n');
  });

  it('says so when the monitor is gone', async () => {
    await using rig = await monitorRig({ script: 'true' });
    await rig.start();
    await rig.exited();
    await delay(100);
    await assert.rejects(rig.console.attach(rig.id), (error) => isEngineError(error) && error.kind === 'not-found');
    await assert.rejects(
      rig.console.resize(rig.id, { rows: 1, columns: 1 }),
      (error) => isEngineError(error) && error.kind === 'not-found',
    );
  });

  it('leaves no descriptor behind', () => {
    const open = readdirSync('/proc/self/fd').length;
    assert.ok(open < 40, `${open} descriptors`);
  });
});

/** The same program, built to end with a code of its own, and with words, as soon as it touches memory that is not its own. */
describe('the monitor, with its memory checked', { timeout: 120_000 }, () => {
  it('makes no mistake when attachers type, stall, vanish, and come back', async () => {
    await using directory = await makeTemporaryDirectory();
    const keeperPath = `${directory.path}/container-keeper`;
    const sources = fileURLToPath(new URL('programs/container-keeper', import.meta.resolve('@fairlead/native')));
    const checks = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all', '-static-libasan', '-static-libubsan'];
    const units = (await listDirectory(sources))
      .filter((name) => name.endsWith('.c'))
      .map((name) => `${sources}/${name}`);
    const signal = AbortSignal.timeout(60_000);
    await runOrThrow('cc', ['-std=gnu11', '-g', '-O1', ...checks, '-o', keeperPath, ...units], { signal });
    const script = 'cat >/dev/null & while :; do echo on; echo err >&2; done';
    await using rig = await monitorRig({ script, stdin: 'once', keeperPath });
    const stalled = [await rig.console.attach(rig.id), await rig.console.attach(rig.id, { outputOnly: true })];
    await rig.start();
    await delay(200);
    for (const connection of stalled) await connection[Symbol.asyncDispose]();
    for (let round = 0; round < 50; round += 1) {
      const attachers = [1, 2, 3, 4].map((index) => rig.console.attach(rig.id, { outputOnly: index % 2 === 0 }));
      for (const connection of await Promise.all(attachers)) {
        await connection.write(Buffer.alloc(100_000, 'typed\n'));
        if (round % 5 === 0) await firstOutput(connection);
        await connection[Symbol.asyncDispose]();
      }
      await rig.console.resize(rig.id, { rows: round, columns: 80 });
    }
    await using _last = await rig.console.attach(rig.id);
    await delay(200);
    rig.kill();
    assert.equal(await rig.exited(), 137);
    assert.deepEqual(await rig.monitorExit, { exitCode: 0, signal: undefined });
  });
});

/** Breaks off after the first piece, which closes the connection. */
async function firstOutput(connection: ConsoleConnection): Promise<string> {
  for await (const { bytes } of connection.output) return Buffer.from(bytes).toString();
  return '';
}

async function collect(connection: ConsoleConnection): Promise<Record<OutputStream, string>> {
  const chunks: Record<OutputStream, Uint8Array[]> = { stdout: [], stderr: [] };
  for await (const { stream, bytes } of connection.output) chunks[stream].push(bytes);
  return { stdout: Buffer.concat(chunks.stdout).toString(), stderr: Buffer.concat(chunks.stderr).toString() };
}
