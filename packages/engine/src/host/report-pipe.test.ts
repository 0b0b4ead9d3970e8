import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { listDirectory } from './files.ts';
import { spawnProgram } from './process.ts';
import { ReportPipe } from './report-pipe.ts';

async function run(report: ReportPipe, script: string): Promise<void> {
  const program = await spawnProgram('sh', ['-c', script], { stdio: ['ignore', 'ignore', 'ignore', report.writeEnd] });
  report.handedOver();
  await program.exited;
}

describe('ReportPipe', { timeout: 10_000 }, () => {
  it('tells what a program said, also what came just before its end', async () => {
    const told: string[] = [];
    using report = new ReportPipe(1000, (text) => told.push(text));
    await run(report, 'echo one >&3; sleep 0.1; echo two >&3');
    assert.equal(told[0], 'one\n');
    assert.equal(report.takeText(), 'one\ntwo\n');
  });

  it('keeps no more than asked for, and makes nobody wait', async () => {
    using report = new ReportPipe(10, () => {});
    await run(report, 'head -c 1000000 /dev/zero | tr "\\0" x >&3');
    assert.equal(report.takeText(), 'xxxxxxxxxx');
  });

  it('leaves no descriptor open', async () => {
    const before = (await listDirectory('/proc/self/fd')).length;
    for (let count = 0; count < 10; count++) {
      using report = new ReportPipe(10, () => {});
      if (count % 2 === 0) await run(report, 'echo x >&3');
    }
    assert.equal((await listDirectory('/proc/self/fd')).length, before);
  });
});
