import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hostFactsFrom, parseIdList, PROBED_PATHS, thermalPaths, type HostTexts } from './host-facts.ts';
import { checkCpuSet } from './cpu-set.ts';
import { logRotation } from './log-options.ts';

const texts: HostTexts = {
  nodeArchitecture: 'x64',
  osRelease: '5.10.0-28-amd64\n',
  selfStatus: 'Name:\tnode\nCapBnd:\t0000000000000003\n',
  memInfo: 'MemTotal:        2048 kB\nMemFree: 1 kB\n',
  cpuOnline: '0-1,4\n',
  nodeOnline: '0\n',
  mounts:
    'cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\ncgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0\n',
  unifiedControllers: '',
  existing: new Set(['/sys/fs/cgroup/memory/memory.oom_control', PROBED_PATHS.cgroupNamespace]),
};

describe('hostFactsFrom', () => {
  it('reads a host with cgroup v1', () => {
    const facts = hostFactsFrom(texts);
    assert.deepEqual(
      { ...facts, cgroups: undefined },
      {
        architecture: 'amd64',
        kernel: { major: 5, minor: 10 },
        cpuCount: 3,
        onlineCpus: '0-1,4',
        onlineMemoryNodes: '0',
        memoryBytes: 2 * 1024 * 1024,
        cgroupVersion: 1,
        cgroups: undefined,
        cgroupNamespaces: true,
        capabilities: ['CAP_CHOWN', 'CAP_DAC_OVERRIDE'],
        unprivilegedPorts: false,
        unprivilegedPing: false,
        appArmor: false,
        recursiveReadOnly: false,
        additionalMaskedPaths: [],
      },
    );
    const { memory, swap, oomKillDisable, cpuQuota, pids } = facts.cgroups;
    assert.deepEqual([memory, swap, oomKillDisable, cpuQuota, pids], [true, false, true, true, false]);
  });

  it('reads a host with cgroup v2', () => {
    const existing = new Set(thermalPaths('0'));
    const facts = hostFactsFrom({
      ...texts,
      unifiedControllers: 'cpuset cpu memory pids\n',
      existing,
      osRelease: '6.1',
    });
    assert.equal(facts.cgroupVersion, 2);
    assert.equal(facts.recursiveReadOnly, true);
    assert.deepEqual(facts.additionalMaskedPaths, ['/sys/devices/system/cpu/cpu0/thermal_throttle']);
    assert.equal(facts.cgroups.pids, true);
    assert.equal(facts.cgroups.memorySwappiness, false);
  });
});

describe('parseIdList', () => {
  const cases = [
    { text: '0', expected: [0] },
    { text: '0-2,5\n', expected: [0, 1, 2, 5] },
    { text: '', expected: [] },
    { text: '3-1', expected: [] },
    { text: 'x,1', expected: [1] },
  ];
  for (const { text, expected } of cases)
    it(`reads ${JSON.stringify(text)}`, () => assert.deepEqual(parseIdList(text), expected));
});

describe('checkCpuSet', () => {
  for (const requested of ['', '0', '0-1', '1,0'])
    it(`takes ${JSON.stringify(requested)}`, () => checkCpuSet('cpus', requested, '0-1'));
  for (const requested of ['2', '0-2', '1-0', '0,', '-1', '99999', '9999']) {
    it(`refuses ${requested}`, () =>
      assert.throws(() => checkCpuSet('cpus', requested, '0-1'), { kind: 'invalid-argument' }));
  }
});

describe('logRotation', () => {
  const cases = [
    { options: {}, expected: { maxBytes: undefined, maxFiles: 1 } },
    { options: { 'max-size': '10k', 'max-file': '3' }, expected: { maxBytes: 10_000, maxFiles: 3 } },
    { options: { 'max-size': '-1' }, expected: { maxBytes: undefined, maxFiles: 1 } },
  ];
  it('has limits of its own for the driver that is never without', () => {
    assert.deepEqual(logRotation({ Type: 'local', Config: {} }), { maxBytes: 20_000_000, maxFiles: 5 });
  });

  for (const { options, expected } of cases) {
    it(`reads ${JSON.stringify(options)}`, () =>
      assert.deepEqual(logRotation({ Type: 'json-file', Config: options }), expected));
  }

  for (const options of [{ 'max-size': '0' }, { 'max-size': 'x' }, { 'max-file': '0' }, { 'max-file': 'x' }]) {
    it(`refuses ${JSON.stringify(options)}`, () =>
      assert.throws(() => logRotation({ Type: 'json-file', Config: { ...options } }), { kind: 'invalid-argument' }));
  }
});
