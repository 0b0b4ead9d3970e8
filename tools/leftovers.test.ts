import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { newTraces, readHostTraces, subdirectories, type HostTraces } from './host-traces.ts';

/** Given by tools/run-tests.ts, which starts this file last. */
const home = process.env['FAIRLEAD_TEST_HOME'];
const beforeFile = process.env['FAIRLEAD_TEST_BEFORE'];

/** How long the kernel and init may take to clear away what has ended. */
const SETTLE_WITHIN_MS = 10_000;

/** Where the engines keep the cgroups of their containers: shared by all of one make, so none of them takes it away. */
const ENGINES_CGROUPS = ['fairlead', 'docker', 'libpod_parent'];
/** A Docker that is killed, and a Podman without its clean-up, also leave those of their containers. */
const OTHERS_CGROUPS: readonly string[] = ['docker', 'libpod_parent'];

describe('the whole test run', { skip: home === undefined || beforeFile === undefined }, () => {
  it('leaves no process, mount, network device, namespace, cgroup or file behind', { timeout: Infinity }, async () => {
    const before = JSON.parse(readFileSync(beforeFile ?? '', 'utf8')) as HostTraces;
    while (siblings().length > 0) await sleep(200);
    removeEnginesCgroups();
    const until = performance.now() + SETTLE_WITHIN_MS;
    let left = newTraces(before, readHostTraces(home ?? ''));
    while (left.length > 0 && performance.now() < until) {
      await sleep(200);
      left = newTraces(before, readHostTraces(home ?? ''));
    }
    assert.deepEqual(left, []);
  });
});

/** Only those that hold nothing any more: the kernel refuses the others. */
function removeEnginesCgroups(): void {
  for (const controller of readdirSync('/sys/fs/cgroup')) {
    for (const name of ENGINES_CGROUPS) {
      const parent = join('/sys/fs/cgroup', controller, name);
      const children = OTHERS_CGROUPS.includes(name) ? subdirectories(parent) : [];
      for (const path of [...children.map((child) => join(parent, child)), parent]) removeEmpty(path);
    }
  }
}

/** One that holds something stays: then the comparison says so. */
function removeEmpty(directory: string): void {
  if (existsSync(directory)) spawnSync('rmdir', ['--ignore-fail-on-non-empty', directory]);
}

/** The other test files that the runner is still running. */
function siblings(): readonly string[] {
  const children = readFileSync(`/proc/${process.ppid}/task/${process.ppid}/children`, 'utf8').trim();
  return children.split(' ').filter((pid) => pid !== '' && pid !== String(process.pid));
}
