import type { ContainerChange, ContainerRef } from '@fairlead/protocol';
import type { LayerChange } from '../ports/snapshotter.ts';
import { beginFileUse } from './container-view.ts';
import type { FileDeps } from './file-deps.ts';

const KINDS: Readonly<Record<LayerChange['kind'], ContainerChange['Kind']>> = { modified: 0, added: 1, deleted: 2 };

/**
 * How a container's files differ from its image; null when they do not, as Docker says it.
 * @throws EngineError 'not-found', 'conflict' when it is being removed; `signal.reason`.
 */
export async function containerChanges(
  deps: Pick<FileDeps, 'directory' | 'snapshots' | 'fileUses'>,
  ref: ContainerRef,
  signal: AbortSignal,
): Promise<readonly ContainerChange[] | null> {
  const actor = deps.directory.resolve(ref);
  using use = beginFileUse(deps, actor);
  const changes = await deps.snapshots.changes(actor.id, AbortSignal.any([signal, use.signal]));
  return changes.length === 0 ? null : changes.map(({ path, kind }) => ({ Path: path, Kind: KINDS[kind] }));
}
