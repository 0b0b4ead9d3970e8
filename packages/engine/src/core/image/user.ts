import type { ImageId } from '@fairlead/protocol';

/** A container, as far as its image is concerned. */
export interface ImageUser {
  readonly containerId: string;
  /** It has a process: paused and restarting count. */
  readonly running: boolean;
  readonly imageId: ImageId;
  /** Chain ids of its root filesystem: they stay while it exists, also when the image is gone. */
  readonly layerIds: readonly string[];
}
