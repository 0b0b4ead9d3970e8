import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { newTraces, readHostTraces, type HostTraces } from './host-traces.ts';

/** Given by tools/run-tests.ts, which starts this file last. */
const home = process.env['FAIRLEAD_TEST_HOME'];
const beforeFile = process.env['FAIRLEAD_TEST_BEFORE'];

/** How long the kernel and init may take to clear away what has ended. */
const SETTLE_WITHIN_MS = 10_000;

describe('the whole test run', { skip: home === undefined || beforeFile === undefined }, () => {
  it('leaves no process, mount, network device, namespace, cgroup or file behind', { timeout: Infinity }, async () => {
    const before = JSON.parse(readFileSync(beforeFile ?? '', 'utf8')) as HostTraces;
    while (siblings().length > 0) await sleep(200);
    const until = performance.now() + SETTLE_WITHIN_MS;
    let left = newTraces(before, readHostTraces(home ?? ''));
    while (left.length > 0 && performance.now() < until) {
      await sleep(200);
      left = newTraces(before, readHostTraces(home ?? ''));
    }
    assert.deepEqual(left, []);
  });
});

/** The other test files that the runner is still running. */
function siblings(): readonly string[] {
  const children = readFileSync(`/proc/${process.ppid}/task/${process.ppid}/children`, 'utf8').trim();
  return children.split(' ').filter((pid) => pid !== '' && pid !== String(process.pid));
}
