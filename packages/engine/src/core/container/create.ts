import { randomBytes } from 'node:crypto';
import {
  containerId,
  EngineError,
  type ContainerConfig,
  type CreateContainerBody,
  type HostConfig,
} from '@fairlead/protocol';
import { formatPlatform, isOfPlatform, parsePlatform } from '../image/platform.ts';
import type { ImageRecord } from '../image/record.ts';
import type { HostFacts } from '../spec/host-facts.ts';
import { checkBindSources } from '../spec/mount-points.ts';
import { validateCreate } from '../spec/validate-create.ts';
import type { ContainerActor } from './actor.ts';
import type { ContainerDeps } from './deps.ts';
import { networkOwner, withJoinedIds } from './joined.ts';
import { withLinkIds } from './links.ts';
import { makeMounts } from './make-mounts.ts';
import { generateName, validName } from './name.ts';
import { CONTAINER_RECORD_VERSION, type ContainerRecord } from './record.ts';
import { removeUnsettledVolumes, settleVolumes } from './volume-use.ts';

export interface CreateContainer {
  /** As given; undefined or empty takes a generated one. */
  readonly name: string | undefined;
  /** Of the image: `linux/arm64`; undefined or empty takes any. */
  readonly platform?: string | undefined;
  readonly body: CreateContainerBody;
}

export interface CreatedContainer {
  readonly actor: ContainerActor;
  readonly warnings: readonly string[];
}

/**
 * Makes a container out of an image and what was asked for; nothing runs yet.
 *
 * @throws EngineError 'not-found' without the image, 'conflict' for a taken name, 'invalid-argument' for what makes no
 *   sense, 'not-implemented' for what this engine cannot do. Nothing is left behind then.
 */
export async function createContainer(
  deps: Pick<
    ContainerDeps,
    | 'directory'
    | 'images'
    | 'snapshots'
    | 'volumes'
    | 'files'
    | 'clock'
    | 'facts'
    | 'abilities'
    | 'newActor'
    | 'transaction'
  >,
  command: CreateContainer,
): Promise<CreatedContainer> {
  const { config: asked, hostConfig, networkingConfig } = partsOf(command.body);
  const name = command.name === undefined || command.name === '' ? undefined : validName(command.name);
  const image = deps.images.resolve(asked.Image);
  const platformWarnings = checkPlatform(deps.facts, image, { ref: asked.Image, platform: command.platform });
  const id = containerId(randomBytes(32).toString('hex'));
  const valid = validateCreate(deps, { config: asked, hostConfig, networkingConfig, image: image.config });
  await checkBindSources(valid.mounts, (path) => deps.files.exists(path));
  const joinedConfig = withLinkIds(deps, withJoinedIds(deps, valid.hostConfig));
  const config = { ...valid.config, Hostname: valid.config.Hostname || hostnameOf(deps, joinedConfig, id) };
  const record = newRecord({ id, image, config, hostConfig: joinedConfig, at: deps.clock.now() }, name ?? '');
  using _layers = deps.images.retain(image.layerIds);
  using _volumes = deps.volumes.directory.holding(id);
  await using undo = new AsyncDisposableStack();
  const named = reserve(deps, record);
  undo.defer(() => deps.directory.releaseName(named.name, id));
  undo.defer(() => deps.files.remove(id));
  undo.defer(() => deps.snapshots.remove(id));
  // So that files can be put into it before the first run. Source: moby container.SetupWorkingDirectory.
  const directory = config.WorkingDir === '' || config.WorkingDir === '/' ? {} : { directory: config.WorkingDir };
  await deps.snapshots.prepare(id, image.layerIds, { disposable: record.hostConfig.AutoRemove, ...directory });
  undo.defer(() => removeUnsettledVolumes(deps.volumes, id));
  const mounts = await makeMounts(deps, {
    id,
    config,
    hostConfig,
    asked: valid.mounts,
    volumesFrom: valid.volumesFrom,
  });
  const made = { ...named, mounts };
  const actor = deps.newActor(made);
  deps.transaction((publish) => {
    deps.directory.save(made);
    publish(made, 'create');
  });
  deps.directory.add(actor);
  undo.move();
  settleVolumes(deps.volumes, id);
  return { actor, warnings: [...platformWarnings, ...valid.warnings] };
}

/** @throws EngineError 'not-found' for an image of another platform than the one asked for. Source: moby v28 daemon/create.go. */
function checkPlatform(
  { architecture }: HostFacts,
  image: ImageRecord,
  { ref, platform }: { readonly ref: string; readonly platform: string | undefined },
): readonly string[] {
  const host = { os: 'linux', architecture, variant: '' };
  const isAsked = platform !== undefined && platform !== '';
  const wanted = isAsked ? parsePlatform(platform, host) : host;
  if (isOfPlatform(image, wanted)) return [];
  const [expected, actual] = [formatPlatform(wanted), formatPlatform(image)];
  if (isAsked) {
    const words = `image with reference ${ref} was found but does not match the specified platform: wanted ${expected}, actual: ${actual}`;
    throw new EngineError('not-found', words);
  }
  return [
    `The requested image's platform (${actual}) does not match the detected host platform (${expected}) and no specific platform was requested`,
  ];
}

/** That of the host or the container whose network it shares, else its own. */
function hostnameOf(deps: Pick<ContainerDeps, 'directory' | 'files'>, hostConfig: HostConfig, id: string): string {
  if (hostConfig.NetworkMode === 'host') return deps.files.hostName();
  const shared = networkOwner(deps, hostConfig);
  return shared === undefined ? id.slice(0, 12) : shared.record.config.Hostname;
}

function partsOf(body: CreateContainerBody): {
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  readonly networkingConfig: CreateContainerBody['NetworkingConfig'];
} {
  const { HostConfig: hostConfig, NetworkingConfig: networkingConfig, ...config } = body;
  if (config.Image === '') {
    const empty = config.Cmd === null && config.Entrypoint === null;
    throw new EngineError(
      'invalid-argument',
      empty ? 'config cannot be empty in order to create a container' : 'no image specified',
    );
  }
  return { config, hostConfig, networkingConfig };
}

function newRecord(
  parts: {
    readonly id: ContainerRecord['id'];
    readonly image: ImageRecord;
    readonly config: ContainerConfig;
    readonly hostConfig: HostConfig;
    readonly at: Date;
  },
  name: string,
): ContainerRecord {
  return {
    version: CONTAINER_RECORD_VERSION,
    id: parts.id,
    name,
    createdAt: parts.at,
    imageId: parts.image.id,
    layerIds: parts.image.layerIds,
    config: parts.config,
    hostConfig: parts.hostConfig,
    state: { status: 'created', failure: null },
  };
}

/** Takes the name asked for, or one that is free. @throws EngineError 'conflict'. */
function reserve(deps: Pick<ContainerDeps, 'directory'>, record: ContainerRecord): ContainerRecord {
  const name = record.name || generateName((taken) => deps.directory.isNameTaken(taken));
  deps.directory.reserveName(name, record.id);
  return { ...record, name };
}
