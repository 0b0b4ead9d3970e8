import type { ImageEvent } from './deps.ts';
import type { ImageRecord } from './record.ts';

/** An event about an image, with its labels, as Docker words it. `name` is the id but for `tag`. Source: moby, daemon/images/image_events.go. */
export function imageEvent(image: ImageRecord, action: ImageEvent['action'], name: string = image.id): ImageEvent {
  return { type: 'image', action, actorId: image.id, attributes: { ...image.config.Labels, name } };
}
