import type { Log } from '../../lib/log.ts';
import type { ContainerActor } from './actor.ts';
import type { ContainerEvent } from './machine.ts';
import { rulesOf } from './record.ts';
import { restartsWithEngine } from './restart-policy.ts';

/**
 * What the engine's own start means for a container that has ended: its restart policy may want it to run, and one that
 * removes itself goes. The work is begun, not awaited: the API answers meanwhile. Source: engine-api 2.3.
 */
export function restartWithEngine(deps: { readonly log: Log }, actor: ContainerActor): void {
  const event = wishOf(actor);
  if (event === undefined) return;
  deps.log.event('container.restore.policy', { containerId: actor.id, event: event.type });
  // Why it failed was reported by the actor.
  actor.send(event).catch(() => {});
}

function wishOf({ state, record }: ContainerActor): ContainerEvent | undefined {
  const { autoRemove, restartPolicy } = rulesOf(record);
  // One whose first start failed has ended, too.
  const hasEnded = state.status === 'exited' || (state.status === 'created' && state.failure !== null);
  if (autoRemove) return hasEnded ? { type: 'remove-requested', volumes: true } : undefined;
  if (state.status !== 'exited') return undefined;
  const end = { exitCode: state.failure?.exitCode ?? state.last.exitCode, manuallyStopped: state.manuallyStopped };
  return restartsWithEngine(restartPolicy, end) ? { type: 'start-requested' } : undefined;
}
