import type { ContainerId } from '@fairlead/protocol';

/** Writable root filesystems on top of an image's layers. Every method may be repeated. */
export interface Snapshotter {
  readonly name: string;
  /** Makes the writable layer. `layerIds`: chain ids, lowest first; each must have been unpacked by the layer store. */
  prepare(id: ContainerId, layerIds: readonly string[]): Promise<void>;
  /** Mounts and returns the absolute path of the root filesystem; already mounted is success. */
  mount(id: ContainerId): Promise<string>;
  unmount(id: ContainerId): Promise<void>;
  /** Unmounts and deletes the writable layer. Nothing to do is success. */
  remove(id: ContainerId): Promise<void>;
  /** Where `mount` puts it; no system call. */
  rootPath(id: ContainerId): string;
  /** Which containers have a writable layer here: to find what a crash left. */
  list(): Promise<readonly ContainerId[]>;
  /** Bytes of the writable layer, and paths for inspect's GraphDriver (`LowerDir`, `MergedDir`, `UpperDir`, `WorkDir`). */
  usageBytes(id: ContainerId): Promise<number>;
  describe(id: ContainerId): Promise<Readonly<Record<string, string>>>;
}
