import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { containerId } from '@fairlead/protocol';
import { silentLog } from '../../lib/log.ts';
import { ContainerActor, type ContainerWork } from '../container/actor.ts';
import type { ProbeResult } from '../container/health.ts';
import { recordOf } from '../container/record.fixture.ts';
import { FakeClock } from '../ports/fake-clock.ts';
import { HealthMonitor } from './health-monitor.ts';
import type { RunProbe } from './probe.ts';

const id = containerId('ab'.repeat(32));
const created = { process: { pid: 42, startTicks: 7 }, monitor: { pid: 41, startTicks: 6 } };
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const INTERVAL_MS = 1_000;
const CHECK = {
  Test: ['CMD', 'x'],
  Interval: INTERVAL_MS * 1e6,
  Timeout: 0,
  StartPeriod: 0,
  StartInterval: 0,
  Retries: 2,
};

interface Probe extends RunProbe {
  end(exitCode: number): Promise<void>;
}

function scene(): {
  readonly clock: FakeClock;
  readonly actor: ContainerActor;
  readonly monitor: HealthMonitor;
  readonly told: string[];
  /** Probes that are under way or ended, oldest first. */
  readonly probes: Probe[];
  readonly start: () => Promise<unknown>;
  readonly exit: () => Promise<unknown>;
} {
  const clock = new FakeClock();
  const told: string[] = [];
  const probes: Probe[] = [];
  const nothing = async (): Promise<void> => {};
  const work: ContainerWork = {
    launch: async () => ({ created, endpoint: null }),
    ...{ sendSignal: nothing, freeze: nothing, thaw: nothing, cleanUpRun: nothing, removeRemains: nothing },
  };
  const plain = recordOf({ id, name: 'web' });
  const actor = new ContainerActor(
    { ...plain, config: { ...plain.config, Healthcheck: CHECK } },
    {
      work,
      clock,
      commit: (record, announcements) => {
        for (const { action } of announcements) told.push(`${action} (${record.health?.status})`);
      },
      forget: () => void told.push('gone'),
      onNotStored: (_record, cause) => assert.fail(String(cause)),
      onEffectFailed: (_record, effect, cause) => assert.fail(`${effect.effect}: ${String(cause)}`),
    },
  );
  const probe = (_actor: ContainerActor, command: RunProbe): Promise<ProbeResult> => {
    const ended = Promise.withResolvers<ProbeResult>();
    const start = clock.now();
    const end = async (exitCode: number): Promise<void> => {
      ended.resolve({ start, end: clock.now(), exitCode, output: '' });
      await turn();
    };
    probes.push({ ...command, end });
    return ended.promise;
  };
  const monitor = new HealthMonitor({ clock, log: silentLog, probe });
  monitor.follow(actor);
  return {
    ...{ clock, actor, monitor, told, probes },
    start: () => actor.send({ type: 'start-requested' }),
    exit: () => actor.send({ type: 'exited', exit: { id, exitCode: 0, oomKilled: false, at: clock.now() } }),
  };
}

describe('HealthMonitor', () => {
  it('probes an interval after the start, and an interval after each end of a probe', async () => {
    const { clock, actor, probes, told, start } = scene();
    await start();
    assert.equal(actor.record.health?.status, 'starting');
    clock.advance(INTERVAL_MS - 1);
    assert.equal(probes.length, 0);
    clock.advance(1);
    assert.equal(probes.length, 1);
    clock.advance(INTERVAL_MS * 5);
    assert.equal(probes.length, 1, 'one at a time');
    await probes[0]?.end(0);
    assert.equal(actor.record.health?.status, 'healthy');
    clock.advance(INTERVAL_MS);
    assert.equal(probes.length, 2);
    assert.deepEqual(told, ['start (starting)', 'health_status: healthy (healthy)']);
  });

  it('tells a change of the status and nothing else', async () => {
    const { clock, probes, told, start } = scene();
    await start();
    for (const [index, exitCode] of [1, 1, 1, 0, 0].entries()) {
      clock.advance(INTERVAL_MS);
      await probes[index]?.end(exitCode);
    }
    assert.deepEqual(told.slice(1), ['health_status: unhealthy (unhealthy)', 'health_status: healthy (healthy)']);
  });

  it('ends a probe under way with the run, ignores what it says, and begins anew with the next run', async () => {
    const { clock, actor, probes, told, start, exit } = scene();
    await start();
    clock.advance(INTERVAL_MS);
    await exit();
    assert.equal(probes[0]?.signal.aborted, true);
    await probes[0].end(0);
    assert.equal(actor.record.health?.status, 'unhealthy');
    assert.deepEqual(actor.record.health.log, []);
    clock.advance(INTERVAL_MS * 3);
    assert.equal(probes.length, 1);
    await start();
    assert.equal(actor.record.health.status, 'starting');
    clock.advance(INTERVAL_MS);
    assert.equal(probes.length, 2);
    assert.ok(!told.some((line) => line.startsWith('health_status')));
  });

  it('does not probe what is paused', async () => {
    const { clock, actor, probes, start } = scene();
    await start();
    await actor.send({ type: 'pause-requested' });
    assert.equal(actor.record.health?.status, 'unhealthy');
    clock.advance(INTERVAL_MS * 3);
    assert.equal(probes.length, 0);
    await actor.send({ type: 'unpause-requested' });
    clock.advance(INTERVAL_MS);
    assert.equal(probes.length, 1);
    await probes[0]?.end(0);
    assert.equal(actor.record.health.status, 'healthy');
  });

  it('goes on with a container that ran before the engine did, and stops with the engine', async () => {
    const { clock, actor, monitor, probes, start } = scene();
    await start();
    monitor.resume(actor);
    clock.advance(INTERVAL_MS);
    assert.equal(probes.length, 1, 'one prober for a run');
    await probes[0]?.end(0);
    monitor[Symbol.dispose]();
    clock.advance(INTERVAL_MS * 3);
    monitor.resume(actor);
    clock.advance(INTERVAL_MS * 3);
    assert.equal(probes.length, 1);
  });

  it('forgets a container that is removed in the middle of a probe', async () => {
    const { clock, actor, probes, told, start, exit } = scene();
    await start();
    clock.advance(INTERVAL_MS);
    await exit();
    await actor.send({ type: 'remove-requested' });
    await probes[0]?.end(1);
    assert.equal(told.at(-1), 'gone');
  });
});
