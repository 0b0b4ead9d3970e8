import type { ImageDeleted } from './image-summary.ts';

/** Answer to `POST /containers/prune`. */
export interface PruneContainersReport {
  /** null when there was none. */
  readonly ContainersDeleted: readonly string[] | null;
  /** Bytes. */
  readonly SpaceReclaimed: number;
}

/** Answer to `POST /images/prune`. */
export interface PruneImagesReport {
  readonly ImagesDeleted: readonly ImageDeleted[] | null;
  /** Bytes. */
  readonly SpaceReclaimed: number;
}

/** Answer to `POST /build/prune`. */
export interface PruneBuildReport {
  readonly CachesDeleted: readonly string[] | null;
  /** Bytes. */
  readonly SpaceReclaimed: number;
}

/** Answer to `POST /networks/prune`: names. */
export interface PruneNetworksReport {
  readonly NetworksDeleted: readonly string[] | null;
}
