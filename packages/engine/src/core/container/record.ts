import {
  isContainerId,
  parseSignal,
  type ContainerConfig,
  type ContainerId,
  type HostConfig,
  type ImageId,
} from '@fairlead/protocol';
import type { HealthRecord } from './health.ts';
import { isContainerState } from './is-container-state.ts';
import { isRestartPolicyName } from './restart-policy.ts';
import type { ContainerRules, OwedEffect } from './machine.ts';
import type { ContainerState } from './state.ts';
import type { MountPoint } from '../spec/mount-points.ts';

/** Raised when the stored form changes in a way that old engines would misread. */
export const CONTAINER_RECORD_VERSION = 1;

/** One container, as persisted: what was asked for, merged with the image, and where its life stands. */
export interface ContainerRecord {
  readonly version: typeof CONTAINER_RECORD_VERSION;
  readonly id: ContainerId;
  /** Without the leading slash. */
  readonly name: string;
  readonly createdAt: Date;
  readonly imageId: ImageId;
  /** Chain ids of the image's layers at creation, lowest first: the container outlives the image's removal. */
  readonly layerIds: readonly string[];
  /** Merged with the image's; `Image` is the reference as it was given. */
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  readonly state: ContainerState;
  /** What the last change of state has ordered and may not have been done yet; done once more after a crash. */
  readonly owed?: readonly OwedEffect[];
  /** What is mounted besides what every container has. Absent in records from before there were volumes. */
  readonly mounts?: readonly MountPoint[] | undefined;
  /** Only once it was started with a health check. */
  readonly health?: HealthRecord | undefined;
}

/** Recognises a stored record. The engine is the only writer, so the frame is checked, not every field. */
export function isContainerRecord(document: unknown): document is ContainerRecord {
  if (!isObject(document) || document['version'] !== CONTAINER_RECORD_VERSION) return false;
  const { id, name, state, config, hostConfig } = document;
  if (typeof id !== 'string' || !isContainerId(id) || typeof name !== 'string') return false;
  return isObject(config) && isObject(hostConfig) && isContainerState(state);
}

/** The part of a record that its life depends on. */
export function rulesOf(record: ContainerRecord): ContainerRules {
  const { RestartPolicy, AutoRemove } = record.hostConfig;
  const stopSignal = record.config.StopSignal;
  return {
    id: record.id,
    restartPolicy: {
      name: isRestartPolicyName(RestartPolicy.Name) ? RestartPolicy.Name : 'no',
      maximumRetryCount: RestartPolicy.MaximumRetryCount,
    },
    autoRemove: AutoRemove,
    stopSignal: stopSignal === '' ? undefined : parseSignal(stopSignal),
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
