import { EngineError, isEngineError, type ContainerRef, type HostConfig } from '@fairlead/protocol';
import { joinedContainer } from '../spec/modes.ts';
import type { NamespacePaths } from '../spec/namespaces.ts';
import type { ContainerActor } from './actor.ts';
import type { ContainerDeps } from './deps.ts';
import type { ContainerRecord } from './record.ts';

/** Longest chain of containers that share with each other in a row. Our own figure: deeper is a loop. */
const CHAIN_MAX = 64;

/** Where the host's shared memory is. */
const HOST_SHM_PATH = '/dev/shm';

/**
 * HostConfig with the containers that its modes name as ids, so that a rename changes nothing.
 *
 * @throws EngineError 'invalid-argument' for one that does not exist; that of the network may come later, as in Docker.
 */
export function withJoinedIds(deps: Pick<ContainerDeps, 'directory'>, hostConfig: HostConfig): HostConfig {
  const named = (mode: string, isOptional: boolean): string => {
    const ref = joinedContainer(mode);
    if (ref === undefined) return mode;
    const found = find(deps, ref, isOptional ? undefined : 'invalid-argument');
    return found === undefined ? mode : `container:${found.id}`;
  };
  return {
    ...hostConfig,
    NetworkMode: named(hostConfig.NetworkMode, true),
    IpcMode: named(hostConfig.IpcMode, false),
    PidMode: named(hostConfig.PidMode, false),
  };
}

/** What a container that is being started takes from others. */
export interface Joined {
  readonly namespaces: NamespacePaths;
  /** Host path of the shared memory; undefined: its own. */
  readonly shmPath: string | undefined;
  /** Whose network it shares, and with it the files about names and addresses; undefined: nobody's. */
  readonly networkOwner: ContainerRecord | undefined;
}

/**
 * Looks up the containers whose namespaces a container shares.
 *
 * @throws EngineError in Docker's words: 'conflict' when the one with the network does not run, 'not-found' when there is none; 'internal'
 *   for other namespaces: what was created cannot be specified. Source: moby daemon/start.go, containerStart.
 */
export function joinedOf(deps: Pick<ContainerDeps, 'directory' | 'files'>, record: ContainerRecord): Joined {
  const network = joinNetwork(deps, record);
  const ipc = join(deps, { record, field: 'IpcMode', words: 'failed to join IPC namespace' });
  const pid = join(deps, { record, field: 'PidMode', words: 'failed to join PID namespace' });
  return {
    namespaces: {
      ...(network === undefined ? {} : { network: namespaceOf(network, 'net') }),
      ...(ipc === undefined ? {} : { ipc: namespaceOf(ipc, 'ipc') }),
      ...(pid === undefined ? {} : { pid: namespaceOf(pid, 'pid') }),
    },
    shmPath: ipc === undefined ? undefined : shmPathOf(deps, ipc),
    networkOwner: network === undefined ? undefined : ownerOf(deps, network, 'NetworkMode').record,
  };
}

/** The container whose network is shared, if it exists; undefined when it does not, and when none is. */
export function networkOwner(
  deps: Pick<ContainerDeps, 'directory'>,
  hostConfig: Pick<HostConfig, 'NetworkMode'>,
): ContainerActor | undefined {
  const ref = joinedContainer(hostConfig.NetworkMode);
  return ref === undefined ? undefined : find(deps, ref, undefined);
}

function joinNetwork(deps: Pick<ContainerDeps, 'directory'>, record: ContainerRecord): ContainerActor | undefined {
  const ref = joinedContainer(record.hostConfig.NetworkMode);
  if (ref === undefined) return undefined;
  const other = deps.directory.resolve(ref);
  if (other.id === record.id) throw new EngineError('invalid-argument', 'cannot join own network');
  switch (other.state.status) {
    case 'running':
      return other;
    case 'restarting':
      throw isRestarting(ref);
    default:
      throw new EngineError('conflict', `cannot join network of a non running container: ${ref}`);
  }
}

function join(
  deps: Pick<ContainerDeps, 'directory'>,
  asked: { readonly record: ContainerRecord; readonly field: 'IpcMode' | 'PidMode'; readonly words: string },
): ContainerActor | undefined {
  const ref = joinedContainer(asked.record.hostConfig[asked.field]);
  if (ref === undefined) return undefined;
  try {
    const other = find(deps, ref, 'invalid-argument');
    if (other?.state.status === 'running' && other.id !== asked.record.id) return other;
    throw other?.state.status === 'restarting' ? isRestarting(ref) : notRunning(ref);
  } catch (cause) {
    if (!isEngineError(cause)) throw cause;
    throw new EngineError('internal', `${asked.words}: ${cause.message}`, { cause });
  }
}

/** Shared memory can be joined when its owner said so, or when it is the host's. */
function shmPathOf(deps: Pick<ContainerDeps, 'directory' | 'files'>, other: ContainerActor): string {
  const { id, hostConfig } = ownerOf(deps, other, 'IpcMode').record;
  switch (hostConfig.IpcMode) {
    case 'shareable':
      return deps.files.shmPath(id);
    case 'host':
      return HOST_SHM_PATH;
    default: {
      const hint = 'non-shareable IPC (hint: use IpcMode:shareable for the donor container)';
      throw new EngineError('internal', `failed to join IPC namespace: container ${other.id}: ${hint}`);
    }
  }
}

/** The container that has it itself, where one shares with one that shares. */
function ownerOf(
  deps: Pick<ContainerDeps, 'directory'>,
  actor: ContainerActor,
  field: 'NetworkMode' | 'IpcMode',
): ContainerActor {
  let owner = actor;
  for (let length = 0; length < CHAIN_MAX; length += 1) {
    const ref = joinedContainer(owner.record.hostConfig[field]);
    if (ref === undefined) return owner;
    owner = deps.directory.resolve(ref);
  }
  throw new EngineError('conflict', `container ${actor.id} shares its ${field} in a circle`);
}

function find(
  deps: Pick<ContainerDeps, 'directory'>,
  ref: ContainerRef,
  refusal: 'invalid-argument' | undefined,
): ContainerActor | undefined {
  try {
    return deps.directory.resolve(ref);
  } catch (cause) {
    if (!isEngineError(cause)) throw cause;
    if (refusal === undefined) return undefined;
    throw new EngineError(refusal, cause.message, { cause });
  }
}

function namespaceOf({ state }: ContainerActor, kind: 'net' | 'ipc' | 'pid'): string {
  if (state.status !== 'running') throw new EngineError('internal', 'a container that does not run has no namespaces');
  return `/proc/${state.created.process.pid}/ns/${kind}`;
}

function notRunning(ref: ContainerRef): EngineError {
  return new EngineError('conflict', `container ${ref} is not running`);
}

function isRestarting(ref: ContainerRef): EngineError {
  return new EngineError('conflict', `Container ${ref} is restarting, wait until the container is running`);
}
