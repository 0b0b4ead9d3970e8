import { EngineError } from '@fairlead/protocol';
import type { EngineEvent } from '../events/event.ts';
import type { OneAtATime } from '../../lib/one-at-a-time.ts';
import type { Log } from '../../lib/log.ts';

/** What every prune works with. */
export interface PruneDeps {
  readonly log: Log;
  /** Of one kind of thing. */
  readonly onePrune: OneAtATime;
  readonly publishEvent: (event: Omit<EngineEvent, 'timeNanos'>) => void;
}

/** What a second prune is told while one is under way. Source: moby v28 daemon/prune.go, errPruneRunning. */
export function pruneIsRunning(): EngineError {
  return new EngineError('conflict', 'a prune operation is already running');
}

/** Announces what a prune freed. */
export function publishPrune(
  deps: Pick<PruneDeps, 'publishEvent'>,
  type: EngineEvent['type'],
  reclaimedBytes: number,
): void {
  deps.publishEvent({ type, action: 'prune', actorId: '', attributes: { reclaimed: String(reclaimedBytes) } });
}
