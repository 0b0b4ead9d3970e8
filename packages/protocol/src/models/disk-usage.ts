import type { ContainerSummary } from './container-summary.ts';
import type { ImageSummary } from './image-summary.ts';
import type { Volume } from './volume.ts';

/** Answer to `GET /system/df`. What was not asked for is null. */
export interface DiskUsage {
  /** Bytes of all layers of images, each counted once. */
  readonly LayersSize: number;
  readonly Images: readonly ImageSummary[] | null;
  readonly Containers: readonly ContainerSummary[] | null;
  readonly Volumes: readonly Volume[] | null;
  /** This engine has no builder of its own, so it is always empty. */
  readonly BuildCache: readonly never[] | null;
  /** Until API 1.41. */
  readonly BuilderSize?: number;
}
