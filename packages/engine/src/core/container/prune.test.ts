import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { containerId, NO_FILTERS, parseFilters, type ContainerId } from '@fairlead/protocol';
import { OneAtATime } from '../../lib/one-at-a-time.ts';
import { silentLog } from '../../lib/log.ts';
import { FakeClock } from '../ports/fake-clock.ts';
import { memoryTable } from '../ports/memory-records.ts';
import { pruneIsRunning } from '../prune/prune-deps.ts';
import { ContainerActor } from './actor.ts';
import type { ContainerDeps } from './deps.ts';
import { ContainerDirectory } from './directory.ts';
import { pruneContainers } from './prune.ts';
import { recordOf } from './record.fixture.ts';
import type { ContainerRecord } from './record.ts';

const created = { process: { pid: 42, startTicks: 7 }, monitor: { pid: 41, startTicks: 6 } };

function scene(): {
  readonly deps: Parameters<typeof pruneContainers>[0];
  readonly told: string[];
  readonly failed: string[];
  readonly add: (hex: string, removeRemains?: () => Promise<void>) => ContainerActor;
} {
  const directory = new ContainerDirectory(memoryTable<ContainerRecord>());
  const [told, failed]: [string[], string[]] = [[], []];
  const clock = new FakeClock();
  const nothing = async (): Promise<void> => {};
  return {
    deps: {
      ...{ directory, clock, onePrune: new OneAtATime(pruneIsRunning) },
      snapshots: { usageBytes: async () => 10 } as unknown as ContainerDeps['snapshots'],
      log: { ...silentLog, failure: (name) => void failed.push(name) },
      publishEvent: ({ type, action, attributes }) => void told.push(`${type} ${action} ${attributes['reclaimed']}`),
    },
    ...{ told, failed },
    add(hex, removeRemains = nothing) {
      const id = containerId(hex.repeat(32));
      const actor = new ContainerActor(recordOf({ id, name: `c${hex}` }), {
        work: {
          launch: async () => ({ created, endpoint: null }),
          ...{ sendSignal: nothing, freeze: nothing, thaw: nothing, cleanUpRun: nothing, removeRemains },
        },
        clock,
        commit() {},
        forget: (record) => directory.forget(record),
        onNotStored() {},
        onEffectFailed() {},
      });
      directory.reserveName(`c${hex}`, id);
      directory.add(actor);
      return actor;
    },
  };
}

const idOf = (hex: string): ContainerId => containerId(hex.repeat(32));

describe('pruneContainers', () => {
  it('removes what does not run, says how much that frees, and tells it once', async () => {
    const { deps, told, add } = scene();
    add('aa');
    const runs = add('bb');
    const ran = add('cc');
    for (const actor of [runs, ran]) await actor.send({ type: 'start-requested' });
    await ran.send({ type: 'exited', exit: { id: ran.id, exitCode: 0, oomKilled: false, at: deps.clock.now() } });
    assert.deepEqual(await pruneContainers(deps, NO_FILTERS), {
      ContainersDeleted: [idOf('aa'), idOf('cc')],
      SpaceReclaimed: 20,
    });
    assert.deepEqual(deps.directory.all(), [runs]);
    assert.deepEqual(told, ['container prune 20']);
  });

  it('is null when there was nothing', async () => {
    const { deps, told } = scene();
    assert.deepEqual(await pruneContainers(deps, NO_FILTERS), { ContainersDeleted: null, SpaceReclaimed: 0 });
    assert.deepEqual(told, ['container prune 0']);
  });

  it('leaves what the filters leave', async () => {
    const { deps, add } = scene();
    add('aa');
    const filters = parseFilters('{"label":["x"]}');
    assert.equal((await pruneContainers(deps, filters)).ContainersDeleted, null);
  });

  it('goes on behind one that cannot be removed', async () => {
    const { deps, failed, add } = scene();
    add('aa', () => Promise.reject(new Error('EBUSY')));
    add('bb');
    assert.deepEqual((await pruneContainers(deps, NO_FILTERS)).ContainersDeleted, [idOf('bb')]);
    assert.deepEqual(failed, ['container.prune.failed']);
  });

  it('refuses a second one meanwhile', async () => {
    const { deps, add } = scene();
    add('aa');
    const first = pruneContainers(deps, NO_FILTERS);
    await assert.rejects(pruneContainers(deps, NO_FILTERS), { message: 'a prune operation is already running' });
    await first;
  });
});
