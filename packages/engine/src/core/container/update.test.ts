import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  containerId,
  decodeBody,
  EngineError,
  isEngineError,
  updateContainerBodySchema,
  type UpdateContainerBody,
  type UpdateContainerBodyInput,
} from '@fairlead/protocol';
import { FakeClock } from '../ports/fake-clock.ts';
import { memoryTable } from '../ports/memory-records.ts';
import { hostFactsFrom } from '../spec/host-facts.ts';
import type { OciResources } from '../spec/oci.ts';
import { ContainerActor } from './actor.ts';
import type { ContainerDeps } from './deps.ts';
import { ContainerDirectory } from './directory.ts';
import { recordOf } from './record.fixture.ts';
import type { ContainerRecord } from './record.ts';
import { updateContainer } from './update.ts';

const id = containerId('ef'.repeat(32));
const created = { process: { pid: 42, startTicks: 7 }, monitor: { pid: 41, startTicks: 6 } };
const FACTS = hostFactsFrom({
  ...{
    nodeArchitecture: 'x64',
    osRelease: '6.1.0',
    selfStatus: '',
    memInfo: 'MemTotal: 1000000 kB\n',
    cpuOnline: '0-1',
  },
  ...{ nodeOnline: '0', mounts: '', unifiedControllers: 'cpu cpuset io memory pids', existing: new Set<string>() },
});

function body(fields: UpdateContainerBodyInput): UpdateContainerBody {
  return decodeBody(updateContainerBodySchema, JSON.stringify(fields));
}

function scene(options: { readonly autoRemove?: boolean; readonly refuse?: EngineError } = {}): {
  readonly deps: Parameters<typeof updateContainer>[0];
  readonly actor: ContainerActor;
  readonly applied: OciResources[];
  readonly stored: () => ContainerRecord | undefined;
  readonly told: string[];
} {
  const table = memoryTable<ContainerRecord>();
  const directory = new ContainerDirectory(table);
  const told: string[] = [];
  const applied: OciResources[] = [];
  const nothing = async (): Promise<void> => {};
  const actor = new ContainerActor(recordOf({ id, name: 'web', autoRemove: options.autoRemove === true }), {
    work: {
      launch: async () => ({ created, endpoint: null }),
      ...{ sendSignal: nothing, freeze: nothing, thaw: nothing, cleanUpRun: nothing, removeRemains: nothing },
    },
    clock: new FakeClock(),
    commit: (record) => directory.save(record),
    forget: (record) => directory.forget(record),
    onNotStored: (_record, cause) => assert.fail(String(cause)),
    onEffectFailed: (_record, effect, cause) => assert.fail(`${effect.effect}: ${String(cause)}`),
  });
  directory.reserveName('web', id);
  directory.add(actor);
  const runtime = {
    update: async (_id: string, resources: OciResources) => {
      if (options.refuse !== undefined) throw options.refuse;
      applied.push(resources);
    },
  } as unknown as ContainerDeps['runtime'];
  const publish = (_record: ContainerRecord, action: string): void => void told.push(action);
  const devices = { numbers: async () => new Map([['/dev/disk', { major: 8, minor: 0 }]]) };
  const deps = { directory, facts: FACTS, runtime, publish, devices: devices as unknown as ContainerDeps['devices'] };
  return { deps, actor, applied, told, stored: () => table.get(id) };
}

describe('updateContainer', () => {
  it('is stored, and tells nobody but the events, while the container does not run', async () => {
    const { deps, applied, stored, told } = scene();
    assert.deepEqual(await updateContainer(deps, 'web', body({ CpuShares: 77 })), []);
    assert.equal(stored()?.hostConfig.CpuShares, 77);
    assert.deepEqual([applied, told], [[], ['update']]);
  });

  it('reaches a running container, paused or not', async () => {
    const { deps, actor, applied } = scene();
    await actor.send({ type: 'start-requested' });
    await updateContainer(deps, 'web', body({ PidsLimit: 9 }));
    await actor.send({ type: 'pause-requested' });
    await updateContainer(deps, 'web', body({ CpuShares: 9 }));
    assert.deepEqual(
      applied.map(({ pids, cpu }) => [pids, cpu]),
      [
        [{ limit: 9 }, {}],
        [undefined, { shares: 9 }],
      ],
    );
  });

  it('does not ask the runtime for nothing', async () => {
    const { deps, actor, applied, told } = scene();
    await actor.send({ type: 'start-requested' });
    await updateContainer(deps, 'web', body({ RestartPolicy: { Name: 'always' } }));
    assert.deepEqual([applied, told], [[], ['update']]);
    assert.equal(actor.record.hostConfig.RestartPolicy.Name, 'always');
  });

  it('limits single devices by their numbers', async () => {
    const { deps, actor, applied, stored } = scene();
    await actor.send({ type: 'start-requested' });
    const BlkioDeviceReadBps = [{ Path: '/dev/disk', Rate: 1024 }];
    await updateContainer(deps, 'web', body({ BlkioDeviceReadBps }));
    assert.deepEqual(applied[0]?.blockIO, { throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 1024 }] });
    assert.deepEqual(stored()?.hostConfig.BlkioDeviceReadBps, BlkioDeviceReadBps);
  });

  it('is for the next run of one that has ended in this very moment', async () => {
    const { deps, actor, stored } = scene({ refuse: new EngineError('conflict', 'container is not running') });
    await actor.send({ type: 'start-requested' });
    await updateContainer(deps, 'web', body({ CpuShares: 77 }));
    assert.equal(stored()?.hostConfig.CpuShares, 77);
  });

  it('stores nothing of what the kernel refuses', async () => {
    const { deps, actor, stored, told } = scene({ refuse: new EngineError('internal', 'no such CPU') });
    await actor.send({ type: 'start-requested' });
    await assert.rejects(updateContainer(deps, 'web', body({ CpuShares: 77 })), {
      message: `Cannot update container ${id}: no such CPU`,
    });
    assert.equal(stored()?.hostConfig.CpuShares, 0);
    assert.deepEqual(told, []);
  });

  const refusals: readonly {
    readonly asked: UpdateContainerBodyInput;
    readonly kind: EngineError['kind'];
    readonly words: string;
  }[] = [
    { asked: { Memory: 1000 }, kind: 'invalid-argument', words: 'Minimum memory limit allowed is 6MB' },
    { asked: { BlkioWeight: 1 }, kind: 'invalid-argument', words: 'Range of blkio weight is from 10 to 1000' },
    {
      asked: { RestartPolicy: { Name: 'always', MaximumRetryCount: 1 } },
      kind: 'invalid-argument',
      words: "invalid restart policy: maximum retry count can only be used with 'on-failure'",
    },
    {
      asked: { RestartPolicy: { Name: 'always' } },
      kind: 'conflict',
      words: `Cannot update container ${id}: Restart policy cannot be updated because AutoRemove is enabled for the container`,
    },
  ];
  for (const { asked, kind, words } of refusals) {
    it(`refuses ${JSON.stringify(asked)}`, async () => {
      const { deps } = scene({ autoRemove: true });
      await assert.rejects(
        updateContainer(deps, 'web', body(asked)),
        (error) => isEngineError(error) && error.kind === kind && error.message === words,
      );
    });
  }

  it('leaves a container that removes itself its policy', async () => {
    const { deps, actor } = scene({ autoRemove: true });
    await updateContainer(deps, 'web', body({ RestartPolicy: { Name: 'no' } }));
    assert.equal(actor.record.hostConfig.RestartPolicy.Name, 'no');
  });

  it('knows no container that is gone or going', async () => {
    const { deps, actor } = scene();
    await assert.rejects(updateContainer(deps, 'nosuch', body({})), { message: 'No such container: nosuch' });
    const removal = actor.send({ type: 'remove-requested' });
    const update = updateContainer(deps, 'web', body({ CpuShares: 7 }));
    await removal;
    await assert.rejects(update, (error) => isEngineError(error) && error.kind === 'not-found');
  });
});
