import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { spawnProgram } from './process.ts';
import {
  findProcess,
  onProcessEnd,
  parseStat,
  processPresence,
  readCgroupPids,
  readStat,
  signalProcess,
  waitForProcessEnd,
} from './proc.ts';

const never = new AbortController().signal;
const rest = `${'0 '.repeat(17)}4711 0`;

describe('parseStat', () => {
  const cases = [
    { line: `7 (sh) S 1 ${rest}`, stat: { pid: 7, command: 'sh', state: 'S', parentPid: 1, startTicks: 4711 } },
    {
      line: `7 (a) R 1 (b c) Z 3 ${rest}`,
      stat: { pid: 7, command: 'a) R 1 (b c', state: 'Z', parentPid: 3, startTicks: 4711 },
    },
    { line: '7 (sh) S 1', stat: undefined },
    { line: '', stat: undefined },
  ];
  for (const { line, stat } of cases) it(`of "${line.slice(0, 20)}"`, () => assert.deepEqual(parseStat(line), stat));

  it('agrees with the kernel about this process', () => {
    const stat = readStat(process.pid);
    assert.equal(stat?.pid, process.pid);
    assert.equal(stat.parentPid, process.ppid);
    assert.equal(readStat(2 ** 22), undefined);
  });
});

describe('a process of the host', { timeout: 20_000 }, () => {
  it('is signalled and its end is heard', async () => {
    await using program = await spawnProgram('sleep', ['60'], { stdio: ['ignore', 'ignore', 'ignore'] });
    const target = findProcess(program.pid);
    assert.ok(target !== undefined);
    const heard = new Promise<void>((resolve) => void onProcessEnd(target, resolve));
    const waited = waitForProcessEnd(target, never);
    assert.equal(signalProcess(target, 15), 'sent');
    await Promise.all([heard, waited]);
    await program.exited;
    assert.equal(processPresence(target), 'gone');
    assert.equal(signalProcess(target, 15), 'gone');
    await waitForProcessEnd(target, never);
    await new Promise<void>((resolve) => void onProcessEnd(target, resolve));
  });

  it('is not the one that has its pid later', async () => {
    await using program = await spawnProgram('sleep', ['60'], { stdio: ['ignore', 'ignore', 'ignore'] });
    const target = findProcess(program.pid);
    assert.ok(target !== undefined);
    const earlier = { ...target, startTicks: target.startTicks - 1 };
    assert.equal(processPresence(earlier), 'gone');
    assert.equal(signalProcess(earlier, 9), 'gone');
    assert.equal(processPresence(target), 'running');
  });

  it('is a zombie until its parent collects it', async () => {
    // The shell starts a child, and becomes a program that never waits for it.
    await using parent = await spawnProgram('sh', ['-c', 'sleep 0.01 & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let pid = 0;
    for await (const chunk of parent.pipes[1] ?? []) {
      pid = Number(String(chunk));
      break;
    }
    const child = findProcess(pid);
    assert.ok(child !== undefined);
    await waitForProcessEnd(child, never);
    assert.equal(processPresence(child), 'zombie');
    assert.equal(signalProcess(child, 15), 'gone');
  });

  it('is waited for only as long as the caller wants', async () => {
    const self = findProcess(process.pid);
    assert.ok(self !== undefined);
    await assert.rejects(waitForProcessEnd(self, AbortSignal.timeout(20)), { name: 'TimeoutError' });
    onProcessEnd(self, () => assert.fail('not ended'))[Symbol.dispose]();
  });
});

describe('readCgroupPids', () => {
  it('has none for a cgroup that does not exist', async () =>
    assert.deepEqual(await readCgroupPids('/sys/fs/cgroup/nowhere'), []));
});
