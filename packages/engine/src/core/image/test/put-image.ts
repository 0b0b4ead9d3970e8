import { createHash } from 'node:crypto';
import { imageId, normalizeReference, type ImageId } from '@fairlead/protocol';
import type { ImageRecord } from '../record.ts';
import type { ImageUser } from '../user.ts';
import type { ImageScene } from './image-scene.ts';

/** An id that starts with these hex characters. */
export function idOf(start: string): ImageId {
  return imageId(`sha256:${start.padEnd(64, '0')}`);
}

/** Puts an image there without content or layers: for what only looks at records. */
export function putImage(
  place: Pick<ImageScene, 'directory'>,
  start: string,
  fields: Partial<Omit<ImageRecord, 'id'>> = {},
): ImageRecord {
  const record: ImageRecord = {
    id: idOf(start),
    layerIds: [],
    layerBlobs: [],
    taggedAt: undefined,
    sizeBytes: 1,
    config: {},
    createdAt: undefined,
    architecture: 'amd64',
    os: 'linux',
    author: '',
    comment: '',
    ...fields,
    tags: (fields.tags ?? []).map(normalizeReference),
  };
  place.directory.put(record);
  return record;
}

/** A container of an image. */
export function userOf(image: ImageRecord, running: boolean): ImageUser {
  const containerId = createHash('sha256').update(`${image.id}${running}`).digest('hex');
  return { containerId, running, imageId: image.id, layerIds: image.layerIds };
}
