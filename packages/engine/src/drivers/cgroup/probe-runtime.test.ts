import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseCgroupLayout, readCgroupLayout } from './cgroup-layout.ts';
import { probeRuntime, unmountedControllers } from './probe-runtime.ts';

describe('probeRuntime', () => {
  it('takes what was asked for, by name or path', async () => {
    const layout = await readCgroupLayout();
    const byName = await probeRuntime(layout, 'runc');
    assert.deepEqual(byName.warnings, []);
    assert.match(byName.path, /\/runc$/);
    assert.equal((await probeRuntime(layout, byName.path)).path, byName.path);
  });

  it('refuses one that is not there', async () => {
    const layout = await readCgroupLayout();
    await assert.rejects(probeRuntime(layout, 'no-such-runtime'), { kind: 'unavailable' });
    await assert.rejects(probeRuntime(layout, '/no/such/runtime'), { kind: 'unavailable' });
  });

  it('takes crun on a host with cgroup v2 alone', async () => {
    const layout = parseCgroupLayout('41 31 0:38 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw\n');
    assert.deepEqual((await probeRuntime(layout)).name, 'crun');
  });

  it('sees the cgroup v1 hierarchies that are in use and not mounted', () => {
    const layout = parseCgroupLayout(
      '41 31 0:38 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n42 31 0:39 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n',
    );
    const groups = '13:hugetlb:/\n4:pids:/\n3:cpu,cpuacct:/a:b\n2:net_cls,net_prio:/\n1:name=systemd:/init\n0::/\n';
    assert.deepEqual(unmountedControllers(layout, groups), ['hugetlb', 'net_cls', 'net_prio']);
    assert.deepEqual(unmountedControllers(layout, '4:pids:/\n0::/\n'), []);
  });
});
