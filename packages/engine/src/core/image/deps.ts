import type { ArchiveReader } from '../ports/archive-reader.ts';
import type { Clock } from '../ports/clock.ts';
import type { ContentStore } from '../ports/content-store.ts';
import type { LayerStore } from '../ports/layer-store.ts';
import type { Log } from '../../lib/log.ts';
import type { ImageDirectory } from './directory.ts';

/** Something that happened to an image. */
export interface ImageEvent {
  readonly type: 'image';
  readonly action: 'load' | 'save' | 'import' | 'tag' | 'untag' | 'delete';
  readonly actorId: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** What the engine's images run on: what an import claims to be. Names are Go's: `linux`, `amd64`. */
export interface ImagePlatform {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string;
}

/** What the verbs of images work with; each takes the part it needs. */
export interface ImageDeps {
  readonly directory: ImageDirectory;
  readonly content: ContentStore;
  readonly layers: LayerStore;
  readonly archives: ArchiveReader;
  readonly clock: Clock;
  readonly log: Log;
  readonly platform: ImagePlatform;
  /** As `/version` says: imports carry it. */
  readonly engineVersion: string;
  /** Announces an event; durable when it returns. */
  readonly publish: (event: ImageEvent) => void;
}
