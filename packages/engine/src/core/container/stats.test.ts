import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { containerId, isEngineError, ZERO_TIME, type ContainerStats } from '@fairlead/protocol';
import { FakeClock } from '../ports/fake-clock.ts';
import type { UsageSample, UsageTarget } from '../ports/container-usage.ts';
import { memoryTable } from '../ports/memory-records.ts';
import type { HostFacts } from '../spec/host-facts.ts';
import { ContainerActor } from './actor.ts';
import { ContainerDirectory } from './directory.ts';
import { recordOf } from './record.fixture.ts';
import type { ContainerRecord } from './record.ts';
import { containerStats, STATS_INTERVAL_MS, type StatsDeps } from './stats.ts';

const id = containerId('12'.repeat(32));
const created = { process: { pid: 42, startTicks: 7 }, monitor: { pid: 41, startTicks: 6 } };
const HOST_BYTES = 4e9;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function scene(): {
  readonly deps: StatsDeps;
  readonly clock: FakeClock;
  readonly actor: ContainerActor;
  readonly targets: UsageTarget[];
  readonly caller: AbortController;
  readonly exit: () => Promise<unknown>;
} {
  const clock = new FakeClock();
  const directory = new ContainerDirectory(memoryTable<ContainerRecord>());
  const targets: UsageTarget[] = [];
  const nothing = async (): Promise<void> => {};
  const actor = new ContainerActor(recordOf({ id, name: 'web' }), {
    work: {
      launch: async () => ({ created, endpoint: null }),
      ...{ sendSignal: nothing, freeze: nothing, thaw: nothing, cleanUpRun: nothing, removeRemains: nothing },
    },
    clock,
    commit() {},
    forget: (record) => directory.forget(record),
    onNotStored: (_record, cause) => assert.fail(String(cause)),
    onEffectFailed: (_record, effect, cause) => assert.fail(`${effect.effect}: ${String(cause)}`),
  });
  directory.reserveName('web', id);
  directory.add(actor);
  const usage = {
    sample: async (target: UsageTarget) => {
      targets.push(target);
      return sampleOf(clock, targets.length);
    },
  };
  return {
    deps: { directory, clock, usage, facts: { memoryBytes: HOST_BYTES } as HostFacts },
    ...{ clock, actor, targets, caller: new AbortController() },
    exit: () => actor.send({ type: 'exited', exit: { id, exitCode: 0, oomKilled: false, at: clock.now() } }),
  };
}

/** The n-th measurement: it says its number wherever Docker's clients look. */
function sampleOf(clock: FakeClock, n: number): UsageSample {
  return {
    at: clock.now(),
    cpu: {
      ...{ totalNanos: n, perCpuNanos: [n, 0], userNanos: n, kernelNanos: n, hostNanos: n * 1000, onlineCpus: 2 },
      ...{ periods: 0, throttledPeriods: 0, throttledNanos: 0 },
    },
    memory: {
      ...{ usageBytes: n, maxUsageBytes: n, failures: 0, limitBytes: 2 ** 63 },
      counters: new Map([
        ['hierarchical_memory_limit', 9_223_372_036_854_771_712n],
        ['cache', 5n],
      ]),
    },
    processes: n,
    processesLimit: Infinity,
    blockIo: { bytes: [{ major: 8, minor: 0, operation: 'read', count: n }], operations: [] },
    interfaces: [
      {
        name: 'eth0',
        received: { bytes: n, packets: 1, errors: 2, dropped: 3 },
        sent: { bytes: 4, packets: 5, errors: 6, dropped: 7 },
      },
    ],
  };
}

/** Takes the next document once its second is over. */
async function next(stats: AsyncIterator<ContainerStats>, clock: FakeClock): Promise<ContainerStats | undefined> {
  const taken = stats.next();
  await turn();
  clock.advance(STATS_INTERVAL_MS);
  const { done, value } = await taken;
  return done === true ? undefined : value;
}

describe('containerStats', () => {
  it('one shot is one measurement, at once, with nothing before it', async () => {
    const { deps, actor, caller, targets } = scene();
    await actor.send({ type: 'start-requested' });
    const request = { stream: false, oneShot: true, signal: caller.signal };
    const [stats, ...others] = await Array.fromAsync(containerStats(deps, 'web', request));
    assert.equal(others.length, 0);
    assert.deepEqual(targets, [{ cgroupsPath: `/fairlead/${id}`, process: created.process, ownNetwork: true }]);
    assert.equal(stats?.read, '2026-01-01T00:00:00Z');
    assert.equal(stats.preread, ZERO_TIME);
    assert.deepEqual(stats.precpu_stats, {
      cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
      throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
    });
    assert.deepEqual(stats.networks?.['eth0'], {
      ...{ rx_bytes: 1, rx_packets: 1, rx_errors: 2, rx_dropped: 3 },
      ...{ tx_bytes: 4, tx_packets: 5, tx_errors: 6, tx_dropped: 7 },
    });
    assert.deepEqual(stats.pids_stats, { current: 1 });
    assert.equal(stats.memory_stats.limit, HOST_BYTES);
    const wire = JSON.stringify(stats.memory_stats.stats);
    assert.equal(wire, '{"cache":5,"hierarchical_memory_limit":9223372036854771712}', 'every digit is there');
  });

  it('without a stream it is two measurements a second apart, the second told with the CPU of the first', async () => {
    const { deps, actor, clock, caller } = scene();
    await actor.send({ type: 'start-requested' });
    const stats = containerStats(deps, 'web', { stream: false, oneShot: false, signal: caller.signal });
    const iterator = stats[Symbol.asyncIterator]();
    const document = await next(iterator, clock);
    assert.equal(document?.preread, '2026-01-01T00:00:00Z');
    assert.equal(document.read, '2026-01-01T00:00:01Z');
    assert.equal(document.precpu_stats.cpu_usage.total_usage, 1);
    assert.equal(document.cpu_stats.cpu_usage.total_usage, 2);
    assert.equal((await iterator.next()).done, true);
  });

  it('is zeroes at once when the container does not run', async () => {
    const { deps, caller } = scene();
    for (const oneShot of [false, true]) {
      const [stats] = await Array.fromAsync(
        containerStats(deps, 'web', { stream: false, oneShot, signal: caller.signal }),
      );
      assert.deepEqual([stats?.read, stats?.name, stats?.id], [ZERO_TIME, '/web', id]);
      assert.deepEqual([stats?.pids_stats, stats?.memory_stats, stats?.networks], [{}, {}, undefined]);
      assert.equal(stats?.blkio_stats.io_service_bytes_recursive, null);
      assert.ok(!('system_cpu_usage' in stats.cpu_stats));
    }
  });

  it('a stream goes on through stops, with zeroes, and ends with the container', async () => {
    const { deps, actor, clock, caller, exit } = scene();
    const stats = containerStats(deps, 'web', { stream: true, oneShot: false, signal: caller.signal });
    const iterator = stats[Symbol.asyncIterator]();
    assert.equal((await next(iterator, clock))?.read, ZERO_TIME);
    await actor.send({ type: 'start-requested' });
    assert.equal((await next(iterator, clock))?.preread, ZERO_TIME);
    assert.notEqual((await next(iterator, clock))?.preread, ZERO_TIME);
    await exit();
    assert.equal((await next(iterator, clock))?.read, ZERO_TIME);
    await actor.send({ type: 'start-requested' });
    assert.equal((await next(iterator, clock))?.preread, ZERO_TIME, 'a new run has no past');
    await exit();
    const last = iterator.next();
    await actor.send({ type: 'remove-requested' });
    assert.equal((await last).done, true);
  });

  it('ends with its caller', async () => {
    const { deps, caller } = scene();
    const iterator = containerStats(deps, 'web', { stream: true, oneShot: false, signal: caller.signal })[
      Symbol.asyncIterator
    ]();
    const waiting = iterator.next();
    caller.abort(new Error('hung up'));
    assert.equal((await waiting).done, true);
  });

  it('refuses a stream of one shot, after it looked for the container', () => {
    const { deps, caller } = scene();
    const request = { stream: true, oneShot: true, signal: caller.signal };
    assert.throws(
      () => containerStats(deps, 'nosuch', request),
      (error) => isEngineError(error) && error.kind === 'not-found',
    );
    assert.throws(() => containerStats(deps, 'web', request), { message: 'cannot have stream=true and one-shot=true' });
  });
});
