import type { ContainerId } from '@fairlead/protocol';

/** Contents of the files that the engine writes for a container and mounts over its own. */
export interface EtcFiles {
  readonly hosts: string;
  readonly hostname: string;
  readonly resolvConf: string;
}

/** Absolute host paths. */
export interface EtcPaths {
  readonly hosts: string;
  readonly hostname: string;
  readonly resolvConf: string;
}

/** The files of a container outside its root filesystem, and the few it reads inside. Every method may be repeated. */
export interface ContainerFiles {
  writeEtc(id: ContainerId, files: EtcFiles): Promise<EtcPaths>;
  /** Changes the hosts file of a container, in place. Nothing there is success. */
  updateHosts(id: ContainerId, change: (hosts: string) => string): Promise<void>;
  etcPaths(id: ContainerId): EtcPaths;
  logPath(id: ContainerId): string;
  /** Where `mountShm` puts it; no system call. */
  shmPath(id: ContainerId): string;
  /** Mounts memory that containers can share; mounted already is success. @returns its absolute host path. */
  mountShm(id: ContainerId, sizeBytes: number): Promise<string>;
  /** Containers that have it go on having it. Nothing there is success. */
  unmountShm(id: ContainerId): Promise<void>;
  /**
   * Reads a text file inside a root filesystem; symbolic links are resolved inside it and nowhere else.
   * Undefined when there is none. @throws EngineError 'invalid-argument' when it is longer than `limitBytes`.
   */
  readInside(rootPath: string, path: string, limitBytes: number): Promise<string | undefined>;
  /** Whether the host has something at this path. */
  exists(path: string): Promise<boolean>;
  /** Makes the source directory of a bind mount if nothing is there. */
  ensureBindSource(path: string): Promise<void>;
  /** The host's own name. */
  hostName(): string;
  /** Text of a file of the host, e.g. /etc/resolv.conf; undefined when there is none. */
  readHost(path: string): Promise<string | undefined>;
  /** Deletes everything of the container. Nothing to do is success. */
  remove(id: ContainerId): Promise<void>;
  /** Ids that have files here: to find what a crash left. */
  list(): Promise<readonly ContainerId[]>;
}
