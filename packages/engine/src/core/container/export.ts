import { EngineError, type ContainerRef } from '@fairlead/protocol';
import { ownedChunks } from '../../lib/owned-chunks.ts';
import { openRootView } from './container-view.ts';
import type { FileDeps } from './file-deps.ts';

/**
 * A tar of a container's root filesystem, without what is mounted on it, in whatever state the container is.
 * To be iterated once, or broken off; ends with its reason when `signal` aborts or the container is removed.
 * @throws EngineError 'not-found', 'conflict' when it is dead or being removed.
 */
export async function exportContainer(
  deps: FileDeps,
  ref: ContainerRef,
  options: { readonly signal: AbortSignal },
): Promise<AsyncIterable<Uint8Array>> {
  const actor = deps.directory.resolve(ref);
  const { id, state } = actor;
  if (state.status === 'dead') throw new EngineError('conflict', `You cannot export container ${id} which is Dead`);
  if (state.status === 'removing') {
    throw new EngineError('conflict', `You cannot export container ${id} which is being removed`);
  }
  await using undo = new AsyncDisposableStack();
  const opened = undo.use(await openRootView(deps, actor));
  const root = await opened.view.find('/');
  if (root === undefined) throw new EngineError('internal', `container ${id} has no root directory`);
  undo.use(root);
  deps.publish(actor.record, 'export');
  const signal = AbortSignal.any([options.signal, opened.removal]);
  const chunks = root.archive({ name: undefined, signal });
  return ownedChunks(chunks, undo.move(), signal);
}
