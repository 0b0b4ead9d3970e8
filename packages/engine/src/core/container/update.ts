import {
  EngineError,
  isEngineError,
  type ContainerId,
  type ContainerRef,
  type HostConfig,
  type Resources,
  type UpdateContainerBody,
} from '@fairlead/protocol';
import { blockDevicePaths, type BlockDevices } from '../spec/block-io.ts';
import type { OciResources } from '../spec/oci.ts';
import { ignoredWarnings } from '../spec/ignored-warnings.ts';
import { updateResources } from '../spec/update-resources.ts';
import { checkRestartPolicy } from '../spec/validate-host-config.ts';
import { checkResources } from '../spec/validate-resources.ts';
import type { ContainerDeps } from './deps.ts';
import type { ContainerRecord } from './record.ts';

/**
 * Changes what a container may use and when it is restarted, at once if it runs, and for its next runs.
 *
 * @returns warnings about what the host cannot do and was discarded.
 * @throws EngineError 'not-found', 'invalid-argument', 'conflict' with what it has, 'internal' when the kernel refuses;
 *   then nothing is stored. Source: engine-api 3.12.
 */
export async function updateContainer(
  deps: Pick<ContainerDeps, 'directory' | 'facts' | 'runtime' | 'devices' | 'publish'>,
  ref: ContainerRef,
  asked: UpdateContainerBody,
): Promise<readonly string[]> {
  checkRestartPolicy(asked.RestartPolicy, false);
  const checked = checkResources(asked, deps.facts, 'update');
  const wanted = { ...asked, ...checked.resources };
  const actor = deps.directory.resolve(ref);
  try {
    await actor.amend(async (record) => {
      const blockDevices = await deps.devices.numbers(blockDevicePaths(wanted));
      const { hostConfig, applied } = updated(record, wanted, blockDevices);
      // Applied before it is stored: what the kernel refuses is never on record.
      if (record.state.status === 'running' && !isEmpty(applied)) await applyNow(deps, record.id, applied);
      return { ...record, hostConfig };
    });
  } catch (cause) {
    const kind = isEngineError(cause) ? cause.kind : 'internal';
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new EngineError(kind, `Cannot update container ${actor.id}: ${why}`, { cause });
  }
  deps.publish(actor.record, 'update');
  return [...checked.warnings, ...ignoredWarnings(asked)];
}

/** One that has ended in this very moment has them in its next run. */
async function applyNow(
  { runtime }: Pick<ContainerDeps, 'runtime'>,
  id: ContainerId,
  resources: OciResources,
): Promise<void> {
  try {
    await runtime.update(id, resources);
  } catch (error) {
    if (!isEngineError(error) || error.kind !== 'conflict') throw error;
  }
}

function updated(
  { state, hostConfig }: ContainerRecord,
  asked: Resources & Pick<HostConfig, 'RestartPolicy'>,
  blockDevices: BlockDevices,
): { readonly hostConfig: HostConfig; readonly applied: OciResources } {
  if (state.status === 'removing' || state.status === 'dead') {
    throw new EngineError('conflict', 'container is marked for removal and cannot be "update"');
  }
  const { merged, applied } = updateResources(hostConfig, asked, blockDevices);
  const { RestartPolicy: policy } = asked;
  if (policy.Name !== '' && policy.Name !== 'no' && hostConfig.AutoRemove) {
    const words = 'Restart policy cannot be updated because AutoRemove is enabled for the container';
    throw new EngineError('conflict', words);
  }
  const RestartPolicy = policy.Name === '' ? hostConfig.RestartPolicy : policy;
  return { hostConfig: { ...hostConfig, ...merged, RestartPolicy }, applied };
}

function isEmpty(resources: OciResources): boolean {
  const { memory = {}, cpu = {}, pids = {}, blockIO = {} } = resources;
  return [memory, cpu, pids, blockIO].every((group) => Object.keys(group).length === 0);
}
