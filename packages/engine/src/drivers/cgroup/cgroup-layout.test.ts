import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseCgroupLayout } from './cgroup-layout.ts';

const LEGACY = `31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
33 31 0:30 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
34 31 0:31 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,release_agent=/lib/x,name=systemd
35 27 0:30 / /elsewhere/pids rw,relatime - cgroup cgroup rw,pids
`;
const UNIFIED = '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n';

describe('parseCgroupLayout', () => {
  const cases = [
    { host: 'with cgroup v2 alone', text: UNIFIED.replace('/unified', ''), version: 2, unified: '/sys/fs/cgroup' },
    { host: 'with cgroup v1 alone', text: LEGACY, version: 1, unified: undefined },
    { host: 'with both', text: LEGACY + UNIFIED, version: 1, unified: '/sys/fs/cgroup/unified' },
    { host: 'without any', text: '22 27 0:21 / /proc rw - proc proc rw\n', version: 1, unified: undefined },
  ];
  for (const { host, text, version, unified } of cases) {
    it(`a host ${host} is version ${version}`, () => {
      const layout = parseCgroupLayout(text);
      assert.equal(layout.version, version);
      assert.equal(layout.unified, unified);
    });
  }

  it('finds each controller where it was mounted first', () => {
    assert.deepEqual(
      [...parseCgroupLayout(LEGACY).legacy],
      [
        ['cpu', '/sys/fs/cgroup/cpu,cpuacct'],
        ['cpuacct', '/sys/fs/cgroup/cpu,cpuacct'],
        ['pids', '/sys/fs/cgroup/pids'],
        ['systemd', '/sys/fs/cgroup/systemd'],
      ],
    );
  });
});
