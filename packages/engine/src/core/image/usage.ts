import type { ImageDeps } from './deps.ts';
import type { ImageRecord } from './record.ts';

/** What an image takes of the disk. */
export interface ImageUsage {
  readonly image: ImageRecord;
  /** Containers made from it. */
  readonly containers: number;
  /** Of its size, what other images have, too. */
  readonly sharedBytes: number;
}

/** What all images take of the disk. */
export interface ImagesUsage {
  /** Newest first. */
  readonly images: readonly ImageUsage[];
  /** Each layer once. */
  readonly layersBytes: number;
}

/** Works out what images take of the disk. Source: moby v28 daemon/images/image_list.go and service.go, LayerDiskUsage. */
export function imagesUsage({ directory, layers }: Pick<ImageDeps, 'directory' | 'layers'>): ImagesUsage {
  const images = directory.all().toSorted((a, b) => (b.createdAt?.getTime() ?? 0) - (a.createdAt?.getTime() ?? 0));
  const users = new Map<string, number>();
  for (const { layerIds } of images) for (const id of layerIds) users.set(id, (users.get(id) ?? 0) + 1);
  const bytesOf = (chainId: string): number => (layers.has(chainId) ? layers.sizeBytes(chainId) : 0);
  return {
    images: images.map((image) => ({
      image,
      containers: directory.usersOf(image.id).length,
      sharedBytes: sumOf(image.layerIds.filter((id) => (users.get(id) ?? 0) > 1).map(bytesOf)),
    })),
    layersBytes: sumOf([...users.keys()].map(bytesOf)),
  };
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
