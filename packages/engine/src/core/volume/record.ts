import { isContainerId, type ContainerId, type StringMap } from '@fairlead/protocol';

/** Raised when the stored form changes in a way that old engines would misread. */
export const VOLUME_RECORD_VERSION = 1;

/** The only driver: directories of the host. */
export const LOCAL_DRIVER = 'local';

/** On every volume that was made without a name. Source: moby v28 volume/service/service.go, AnonymousLabel. */
export const ANONYMOUS_LABEL = 'com.docker.volume.anonymous';

/** One volume, as persisted. Its content is the store's. */
export interface VolumeRecord {
  readonly version: typeof VOLUME_RECORD_VERSION;
  readonly name: string;
  readonly createdAt: Date;
  readonly labels: StringMap<string> | null;
  /** What the local driver mounts; null: a plain directory. */
  readonly options: StringMap<string> | null;
  /** The container that it was made with, until that one is made: if it never is, neither was this. Anonymous ones only. */
  readonly madeFor?: ContainerId;
}

/** Recognises a stored record. The engine is the only writer, so the frame is checked, not every field. */
export function isVolumeRecord(document: unknown): document is VolumeRecord {
  if (typeof document !== 'object' || document === null) return false;
  if (!('version' in document) || document.version !== VOLUME_RECORD_VERSION) return false;
  if (!('name' in document) || typeof document.name !== 'string') return false;
  if ('madeFor' in document && !(typeof document.madeFor === 'string' && isContainerId(document.madeFor))) return false;
  return 'createdAt' in document && document.createdAt instanceof Date && 'labels' in document && 'options' in document;
}

/** Whether it was made without a name. */
export function isAnonymous({ labels }: Pick<VolumeRecord, 'labels'>): boolean {
  return labels !== null && Object.hasOwn(labels, ANONYMOUS_LABEL);
}
