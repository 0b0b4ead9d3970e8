import type { ContainerId } from '@fairlead/protocol';

/** A root filesystem that stays mounted until it is disposed. */
export interface HeldRoot extends AsyncDisposable {
  /** Absolute path on the host. */
  readonly path: string;
}

/** How something differs from the image. */
export interface LayerChange {
  /** Absolute, in the container. */
  readonly path: string;
  readonly kind: 'modified' | 'added' | 'deleted';
}

/** What a writable layer is for. */
export interface PrepareOptions {
  /**
   * Nobody wants the writable layer back after a crash of the host: it is never waited for the disk because of it. After
   * such a crash `mount` and `hold` refuse with 'internal'.
   */
  readonly disposable: boolean;
  /** Absolute, clean: made in the writable layer unless it is there, or a link is in the way. A file in the way is refused as 'internal'. */
  readonly directory?: string;
}

/** Writable root filesystems on top of an image's layers. Every method may be repeated. */
export interface Snapshotter {
  readonly name: string;
  /** Makes the writable layer. `layerIds`: chain ids, lowest first; each must have been unpacked by the layer store. */
  prepare(id: ContainerId, layerIds: readonly string[], options?: PrepareOptions): Promise<void>;
  /** Mounts and returns the absolute path of the root filesystem; already mounted is success. */
  mount(id: ContainerId): Promise<string>;
  /** Nothing mounted is success. While somebody holds it, it goes when he lets go. */
  unmount(id: ContainerId): Promise<void>;
  /** Mounts it, and keeps it mounted until disposed, whoever mounts and unmounts it meanwhile. */
  hold(id: ContainerId): Promise<HeldRoot>;
  /** Unmounts and deletes the writable layer. Nothing to do is success. */
  remove(id: ContainerId): Promise<void>;
  /** Where `mount` puts it; no system call. */
  rootPath(id: ContainerId): string;
  /** Which containers have a writable layer here: to find what a crash left. */
  list(): Promise<readonly ContainerId[]>;
  /**
   * What the container changed, parents first. Directories above a change are modified, too. Places for the engine's own mounts are no changes.
   * @throws signal.reason.
   */
  changes(id: ContainerId, signal: AbortSignal): Promise<readonly LayerChange[]>;
  /**
   * The writable layer as a layer's tar, with whiteouts; breaking off the iteration frees what it holds. Empty when nothing was changed.
   * @throws EngineError 'invalid-argument' for a name that layers keep for whiteouts; `signal.reason`. Source: OCI image-spec, layer.md.
   */
  layerTar(id: ContainerId, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Bytes of the writable layer, and paths for inspect's GraphDriver (`LowerDir`, `MergedDir`, `UpperDir`, `WorkDir`). */
  usageBytes(id: ContainerId): Promise<number>;
  describe(id: ContainerId): Promise<Readonly<Record<string, string>>>;
}
