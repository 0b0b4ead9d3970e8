import type { Clock } from '../ports/clock.ts';
import type { VolumeStore } from '../ports/volume-store.ts';
import type { Log } from '../../lib/log.ts';
import type { VolumeDirectory } from './directory.ts';

/** Something that happened to a volume. */
export interface VolumeEvent {
  readonly type: 'volume';
  readonly action: 'create' | 'mount' | 'unmount' | 'destroy' | 'prune';
  /** Its name; empty for a prune. */
  readonly actorId: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** What the verbs of volumes work with; each takes the part it needs. */
export interface VolumeDeps {
  readonly directory: VolumeDirectory;
  readonly store: VolumeStore;
  readonly clock: Clock;
  readonly log: Log;
  /** Announces an event; durable when it returns. */
  readonly publish: (event: VolumeEvent) => void;
  /** All that is written in `work` becomes durable, or nothing. */
  readonly transaction: (work: () => void) => void;
}
