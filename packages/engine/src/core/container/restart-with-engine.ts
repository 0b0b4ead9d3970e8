import type { Log } from '../../lib/log.ts';
import type { ContainerActor } from './actor.ts';
import { rulesOf } from './record.ts';
import { restartsWithEngine } from './restart-policy.ts';

/**
 * What the engine's own start means for a container that has ended: its restart policy may want it to run, and one that
 * removes itself goes. The work is begun, not awaited: the API answers meanwhile. Source: engine-api 2.3.
 */
export function restartWithEngine(deps: { readonly log: Log }, actor: ContainerActor): void {
  const { state } = actor;
  if (state.status !== 'exited') return;
  const { autoRemove, restartPolicy } = rulesOf(actor.record);
  const type = autoRemove ? 'remove-requested' : 'start-requested';
  const end = { exitCode: state.failure?.exitCode ?? state.last.exitCode, manuallyStopped: state.manuallyStopped };
  if (!autoRemove && !restartsWithEngine(restartPolicy, end)) return;
  deps.log.event('container.restore.policy', { containerId: actor.id, event: type });
  // Why it failed was reported by the actor.
  actor.send({ type }).catch(() => {});
}
