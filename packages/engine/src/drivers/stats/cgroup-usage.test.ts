import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { FakeClock } from '../../core/ports/fake-clock.ts';
import { findProcess } from '../../host/proc.ts';
import { CgroupUsage, type CgroupMounts } from './cgroup-usage.ts';

const GROUP = '/fairlead/abc';
const self = findProcess(process.pid);
assert.ok(self !== undefined);
const TARGET = { cgroupsPath: GROUP, process: self, ownNetwork: false };

/** Files below a directory of their own, as a kernel would show them. */
async function hierarchy(
  files: Readonly<Record<string, string>>,
): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'fairlead-cgroups-'));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), text);
  }
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

function legacyMounts(path: string): CgroupMounts {
  const controllers = ['cpu', 'cpuacct', 'memory', 'pids', 'blkio'];
  return { version: 1, unified: undefined, legacy: new Map(controllers.map((name) => [name, join(path, name)])) };
}

const LEGACY = {
  [`cpuacct${GROUP}/cpuacct.usage`]: '27815623\n',
  [`cpuacct${GROUP}/cpuacct.usage_percpu`]: '3824305 23991318 \n',
  [`cpuacct${GROUP}/cpuacct.stat`]: 'user 1\nsystem 2\n',
  [`cpu${GROUP}/cpu.stat`]: 'nr_periods 3\nnr_throttled 2\nthrottled_time 1\n',
  [`memory${GROUP}/memory.usage_in_bytes`]: '610304\n',
  [`memory${GROUP}/memory.max_usage_in_bytes`]: '3821568\n',
  [`memory${GROUP}/memory.limit_in_bytes`]: '9223372036854771712\n',
  [`memory${GROUP}/memory.failcnt`]: '4\n',
  [`memory${GROUP}/memory.stat`]: 'cache 1\nworkingset_refault_file 2\ntotal_rss 3\n',
  [`pids${GROUP}/pids.current`]: '5\n',
  [`pids${GROUP}/pids.max`]: 'max\n',
  [`blkio${GROUP}/blkio.throttle.io_service_bytes_recursive`]: '8:0 Read 9\nTotal 9\n',
  [`blkio${GROUP}/blkio.throttle.io_serviced_recursive`]: 'Total 0\n',
};

const UNIFIED = {
  [`${GROUP}/cpu.stat`]: 'usage_usec 10\nuser_usec 6\nsystem_usec 4\nnr_periods 3\nnr_throttled 2\nthrottled_usec 1\n',
  [`${GROUP}/memory.current`]: '4096\n',
  [`${GROUP}/memory.max`]: '20971520\n',
  [`${GROUP}/memory.events`]: 'low 0\nhigh 0\nmax 7\noom 2\noom_kill 1\n',
  [`${GROUP}/memory.stat`]: 'anon 1\ninactive_file 2\nsec_pagetables 3\n',
  [`${GROUP}/pids.current`]: '5\n',
  [`${GROUP}/pids.max`]: '33\n',
  [`${GROUP}/io.stat`]: '254:0 rbytes=1 wbytes=2 rios=3 wios=4\n',
};

describe('CgroupUsage', () => {
  it('measures on cgroup v1', async () => {
    await using place = await hierarchy(LEGACY);
    const sample = await new CgroupUsage(legacyMounts(place.path), new FakeClock()).sample(TARGET);
    assert.ok(sample !== undefined && sample.cpu.hostNanos > 0 && sample.cpu.onlineCpus > 0);
    const { hostNanos: _host, onlineCpus: _cpus, ...cpu } = sample.cpu;
    assert.deepEqual(cpu, {
      ...{ totalNanos: 27_815_623, perCpuNanos: [3_824_305, 23_991_318], userNanos: 1e7, kernelNanos: 2e7 },
      ...{ periods: 3, throttledPeriods: 2, throttledNanos: 1 },
    });
    assert.deepEqual(sample.memory, {
      ...{ usageBytes: 610_304, maxUsageBytes: 3_821_568, failures: 4, limitBytes: Number(9_223_372_036_854_771_712n) },
      counters: new Map([
        ['cache', 1n],
        ['total_rss', 3n],
      ]),
    });
    assert.deepEqual([sample.processes, sample.processesLimit, sample.interfaces], [5, Infinity, []]);
    const bytes = [{ major: 8, minor: 0, operation: 'read', count: 9 }];
    assert.deepEqual(sample.blockIo, { bytes, operations: [] });
  });

  it('measures on cgroup v2', async () => {
    await using place = await hierarchy(UNIFIED);
    const mounts: CgroupMounts = { version: 2, unified: place.path, legacy: new Map() };
    const sample = await new CgroupUsage(mounts, new FakeClock()).sample(TARGET);
    assert.ok(sample !== undefined);
    const { hostNanos: _host, onlineCpus: _cpus, ...cpu } = sample.cpu;
    assert.deepEqual(cpu, {
      ...{ totalNanos: 10_000, perCpuNanos: undefined, userNanos: 6_000, kernelNanos: 4_000 },
      ...{ periods: 3, throttledPeriods: 2, throttledNanos: 1_000 },
    });
    assert.deepEqual(sample.memory, {
      ...{ usageBytes: 4096, maxUsageBytes: undefined, failures: 2, limitBytes: 20_971_520 },
      counters: new Map([
        ['anon', 1n],
        ['inactive_file', 2n],
      ]),
    });
    assert.deepEqual([sample.processes, sample.processesLimit], [5, 33]);
    assert.deepEqual(
      sample.blockIo.bytes?.map(({ operation, count }) => [operation, count]),
      [
        ['read', 1],
        ['write', 2],
      ],
    );
  });

  it('has nothing to say of a group that is gone', async () => {
    await using place = await hierarchy({});
    const legacy = new CgroupUsage(legacyMounts(place.path), new FakeClock());
    assert.equal(await legacy.sample(TARGET), undefined);
    const unified = new CgroupUsage({ version: 2, unified: place.path, legacy: new Map() }, new FakeClock());
    assert.equal(await unified.sample(TARGET), undefined);
  });

  it('counts what it can on a host without some controllers', async () => {
    await using place = await hierarchy({ [`cpuacct${GROUP}/cpuacct.usage`]: '1\n' });
    const mounts: CgroupMounts = {
      version: 1,
      unified: undefined,
      legacy: new Map([['cpuacct', join(place.path, 'cpuacct')]]),
    };
    const sample = await new CgroupUsage(mounts, new FakeClock()).sample(TARGET);
    assert.deepEqual([sample?.cpu.totalNanos, sample?.memory.usageBytes, sample?.processes], [1, 0, 0]);
  });

  it('never measures the whole host', async () => {
    await using place = await hierarchy(LEGACY);
    const usage = new CgroupUsage(legacyMounts(place.path), new FakeClock());
    await assert.rejects(usage.sample({ ...TARGET, cgroupsPath: '/x/..' }), /not a container's cgroup/);
  });
});
