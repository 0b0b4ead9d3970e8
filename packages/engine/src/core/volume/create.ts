import { EngineError, type ContainerId, type StringMap } from '@fairlead/protocol';
import type { VolumeDeps } from './deps.ts';
import { checkVolumeName, newVolumeName } from './name.ts';
import { checkVolumeOptions } from './options.ts';
import { ANONYMOUS_LABEL, LOCAL_DRIVER, VOLUME_RECORD_VERSION, type VolumeRecord } from './record.ts';

export interface CreateVolume {
  /** Empty makes an anonymous one. */
  readonly name: string;
  /** Empty: `local`, which is the only one. */
  readonly driver: string;
  readonly options: StringMap<string>;
  readonly labels: StringMap<string>;
  /** The container that is being made and will use it: nobody can remove the volume meanwhile. */
  readonly holder?: ContainerId;
}

/**
 * Makes a volume. One of that name that exists already is the answer, whatever else was asked for.
 *
 * @throws EngineError in Docker's words: 'invalid-argument' for a bad name or option, 'not-found' for another driver.
 */
export async function createVolume(deps: VolumeDeps, command: CreateVolume): Promise<VolumeRecord> {
  const { holder } = command;
  const name = command.name === '' ? newVolumeName() : command.name;
  if (command.driver !== '' && command.driver !== LOCAL_DRIVER) {
    const words = `error looking up volume plugin ${command.driver}: plugin "${command.driver}" not found`;
    throw new EngineError('not-found', `create ${name}: ${words}`);
  }
  checkVolumeName(name);
  return await deps.directory.exclusive(name, async () => {
    const record = existing(deps, name) ?? (await make(deps, { ...command, name }, command.name === ''));
    if (holder !== undefined) deps.directory.hold(name, holder);
    return record;
  });
}

function existing({ directory }: VolumeDeps, name: string): VolumeRecord | undefined {
  return directory.isStored(name) ? directory.resolve(name) : undefined;
}

async function make(deps: VolumeDeps, command: CreateVolume, isAnonymous: boolean): Promise<VolumeRecord> {
  const { name, options, holder } = command;
  checkVolumeOptions(name, options);
  const labels = isAnonymous ? { ...command.labels, [ANONYMOUS_LABEL]: '' } : command.labels;
  const record: VolumeRecord = {
    version: VOLUME_RECORD_VERSION,
    name,
    createdAt: deps.clock.now(),
    labels: Object.keys(labels).length === 0 ? null : labels,
    options: Object.keys(options).length === 0 ? null : options,
    ...(isAnonymous && holder !== undefined ? { madeFor: holder } : {}),
  };
  // The directory first: without a record, an empty directory is nothing, and goes at the next start of the engine.
  await deps.store.make(name);
  deps.transaction(() => {
    deps.directory.save(record);
    deps.publish({ type: 'volume', action: 'create', actorId: name, attributes: { driver: LOCAL_DRIVER } });
  });
  return record;
}
