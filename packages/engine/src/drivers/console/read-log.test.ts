import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { LogQuery } from '../../core/ports/container-log.ts';
import { makeTemporaryDirectory, movePath, writeFileAtomically } from '../../host/files.ts';
import { appendText } from '../../host/readable-file.ts';
import { monitorRig, realClock } from './monitor-rig.suite.ts';
import { MonitorLog } from './monitor-log.ts';
import { readLog } from './read-log.ts';

const both = new Set(['stdout', 'stderr'] as const);
const never = new AbortController().signal;

function entry(
  second: number,
  text: string,
  options: { readonly tag?: 'F' | 'P'; readonly stream?: string } = {},
): string {
  const time = `2026-01-01T00:00:${String(second).padStart(2, '0')}.000000000+00:00`;
  return `${time} ${options.stream ?? 'stdout'} ${options.tag ?? 'F'} ${text}\n`;
}

async function scene(...files: readonly string[]) {
  const directory = await makeTemporaryDirectory();
  const path = `${directory.path}/log`;
  for (const [index, content] of files.entries())
    await writeFileAtomically(index === 0 ? path : `${path}.${index}`, content);
  const read = async (query: Partial<LogQuery> = {}, signal = never) => {
    const texts: string[] = [];
    for await (const { text } of readLog({ clock: realClock, path }, { streams: both, ...query }, signal)) {
      texts.push(Buffer.from(text).toString());
    }
    return texts;
  };
  return { path, read, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() };
}

const seconds = (count: number): bigint => BigInt(Date.UTC(2026, 0, 1, 0, 0, count)) * 1_000_000n;

describe('readLog', { timeout: 60_000 }, () => {
  it('has nothing to say about a log that does not exist', async () => {
    await using log = await scene();
    assert.deepEqual(await log.read(), []);
    assert.deepEqual(await log.read({ tail: 5 }), []);
  });

  it('reads rotated files oldest first', async () => {
    await using log = await scene(entry(3, 'c'), entry(2, 'b'), entry(1, 'a'));
    assert.deepEqual(await log.read(), ['a\n', 'b\n', 'c\n']);
  });

  it('joins a line whose parts lie in two files', async () => {
    await using log = await scene(entry(3, 'end'), entry(2, 'begin ', { tag: 'P' }));
    assert.deepEqual(await log.read(), ['begin end\n']);
  });

  it('filters by stream and time', async () => {
    await using log = await scene(entry(1, 'a') + entry(2, 'b', { stream: 'stderr' }) + entry(3, 'c') + entry(4, 'd'));
    assert.deepEqual(await log.read({ streams: new Set(['stdout']) }), ['a\n', 'c\n', 'd\n']);
    assert.deepEqual(await log.read({ sinceNanos: seconds(2), untilNanos: seconds(3) }), ['b\n', 'c\n']);
  });

  it('takes the last records across files, with lines that were written in parts whole', async () => {
    const current =
      entry(5, 'tw', { tag: 'P' }) + entry(6, 'e', { stream: 'stderr' }) + entry(7, 'o') + entry(8, 'un', { tag: 'P' });
    await using log = await scene(current, entry(4, 'one'), entry(3, 'zero'));
    assert.deepEqual(await log.read({ tail: 0 }), []);
    assert.deepEqual(await log.read({ tail: 1 }), ['un']);
    assert.deepEqual(await log.read({ tail: 2 }), ['two\n', 'un']);
    assert.deepEqual(await log.read({ tail: 4 }), ['one\n', 'e\n', 'two\n', 'un']);
    assert.deepEqual(await log.read({ tail: 99 }), ['zero\n', 'one\n', 'e\n', 'two\n', 'un']);
  });

  it('takes the last records of a large log', async () => {
    const lines = Array.from({ length: 100_000 }, (_, index) => entry(index % 60, `line ${index}`));
    await using log = await scene(lines.join(''));
    const all = await log.read();
    assert.equal(all.length, 100_000);
    for (const tail of [1, 999, 1_500]) assert.deepEqual(await log.read({ tail }), all.slice(-tail));
  });

  it('follows until the container has stopped, and reads what came last', async () => {
    await using log = await scene(entry(1, 'a'));
    const ended = Promise.withResolvers<void>();
    const reading = log.read({ follow: ended.promise, tail: 0 });
    await delay(50);
    await appendText(log.path, entry(2, 'b').slice(0, 20));
    await delay(50);
    await appendText(log.path, entry(2, 'b').slice(20) + entry(3, 'c', { tag: 'P' }));
    ended.resolve();
    assert.deepEqual(await reading, ['b\n', 'c']);
  });

  it('follows through rotations without losing or repeating a line', async () => {
    await using log = await scene('');
    const ended = Promise.withResolvers<void>();
    const reading = log.read({ follow: ended.promise });
    const expected: string[] = [];
    for (let index = 0; index < 60; index++) {
      expected.push(`${index}\n`);
      await appendText(log.path, entry(index % 60, String(index)));
      if (index % 7 === 3) await delay(5);
      if (index % 10 === 9) {
        if (index > 10) await movePath(`${log.path}.1`, `${log.path}.2`);
        await movePath(log.path, `${log.path}.1`);
        await appendText(`${log.path}.1`, entry(0, `late ${index}`));
        expected.push(`late ${index}\n`);
        await writeFileAtomically(log.path, '');
        await delay(30);
      }
    }
    ended.resolve();
    assert.deepEqual(await reading, expected);
  });

  it('ends following when `until` comes', async () => {
    await using log = await scene(entry(1, 'a'));
    const until = BigInt(Date.now() + 200) * 1_000_000n;
    assert.deepEqual(await log.read({ follow: new Promise(() => {}), untilNanos: until }), ['a\n']);
  });

  it('stops when told to', async () => {
    await using log = await scene(entry(1, 'a'));
    const reading = log.read({ follow: new Promise(() => {}) }, AbortSignal.timeout(50));
    await assert.rejects(reading, { name: 'TimeoutError' });
  });
});

describe('MonitorLog', { timeout: 60_000 }, () => {
  it('keeps a loud container within its files and loses nothing that a follower should see', async () => {
    const script = 'i=0; while [ $i -lt 60000 ]; do echo line $i; i=$((i+1)); done; echo -n unfinished';
    await using rig = await monitorRig({ script });
    const log = new MonitorLog({ clock: realClock, logPath: () => rig.logPath, bundleDir: () => rig.bundleDir });
    const failures: unknown[] = [];
    using _limit = log.limit(rig.id, { fileBytesMax: 200_000, filesMax: 3 }, (error) => failures.push(error));
    const texts: string[] = [];
    const following = (async () => {
      for await (const record of log.read(rig.id, { follow: rig.exited(), streams: both }, never)) {
        texts.push(Buffer.from(record.text).toString());
      }
    })();
    await rig.start();
    await following;
    assert.deepEqual(failures, []);
    assert.equal(texts.length, 60_001);
    assert.equal(
      texts.join(''),
      `${Array.from({ length: 60_000 }, (_, index) => `line ${index}\n`).join('')}unfinished`,
    );
  });

  it('does not join the unfinished line of one run with the first of the next', async () => {
    await using log = await scene(entry(1, 'a', { tag: 'P' }));
    const monitorLog = new MonitorLog({ clock: realClock, logPath: () => log.path, bundleDir: () => '/nowhere' });
    await using rig = await makeTemporaryDirectory();
    void rig;
    // The id plays no part here: the path is fixed.
    const id = 'f'.repeat(64) as Parameters<typeof monitorLog.seal>[0];
    await monitorLog.seal(id);
    await monitorLog.seal(id);
    await appendText(log.path, entry(2, 'b'));
    assert.deepEqual(await log.read(), ['a', 'b\n']);
    await monitorLog.remove(id);
    assert.deepEqual(await log.read(), []);
  });
});
