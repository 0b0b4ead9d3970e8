/** What the local driver is asked to mount as a volume, in mount(8)'s words. */
export interface VolumeMount {
  readonly type: string;
  readonly device: string;
  /** Comma separated. */
  readonly options: string;
}

/** A directory that looks like a volume's, with or without a record. */
export interface StoredVolume {
  readonly name: string;
  readonly modifiedAt: Date;
  /** Nothing is in it: removing it loses nothing. */
  readonly empty: boolean;
}

/** Where the first content of a volume comes from. */
export interface VolumeFilling {
  /** Root filesystem of a container that has never run, mounted. */
  readonly rootPath: string;
  /** Path inside it; symbolic links are resolved inside the root and nowhere else. */
  readonly path: string;
  /** Something uses the volume now, so that its directory must stay the one it is. */
  readonly inUse: boolean;
}

/** The content of local volumes. Every method may be repeated. Names were checked before. */
export interface VolumeStore {
  /** Absolute host path of the content; no system call. */
  path(name: string): string;
  /** Makes the directory; there already is success. */
  make(name: string): Promise<void>;
  /** Takes the content out of sight in one step, then deletes it. Nothing there is success. */
  remove(name: string): Promise<void>;
  /** What has a directory here. */
  list(): Promise<readonly StoredVolume[]>;
  /** Deletes what interrupted removals and fillings left. */
  tidy(): Promise<void>;
  /** Bytes of everything in it. */
  usageBytes(name: string): Promise<number>;
  /**
   * Copies the directory of an image into the volume if nothing is in it: content, owners, modes, links, attributes, also
   * those of the directory itself. After a crash in the middle a volume that was not in use is as empty as before.
   *
   * @throws EngineError 'internal' when there is a file where the volume is to be mounted.
   */
  fill(name: string, filling: VolumeFilling): Promise<void>;
  /** @throws EngineError 'internal' `error while mounting volume '…': failed to mount local volume: …`. Mounted is success. */
  mount(name: string, request: VolumeMount): Promise<void>;
  unmount(name: string): Promise<void>;
}
