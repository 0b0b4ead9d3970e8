import { EngineError, type ContainerRef } from '@fairlead/protocol';
import type { TerminalSize } from '../ports/console.ts';
import type { ContainerDeps } from './deps.ts';

/**
 * Sets the size of a container's terminal; without a terminal nothing happens.
 * @throws EngineError 'conflict' unless it runs.
 */
export async function resizeContainer(
  deps: Pick<ContainerDeps, 'directory' | 'console' | 'publish'>,
  ref: ContainerRef,
  size: TerminalSize,
): Promise<void> {
  const actor = deps.directory.resolve(ref);
  if (actor.state.status !== 'running') {
    throw new EngineError('conflict', `container ${actor.id} is not running`);
  }
  if (actor.record.config.Tty) await deps.console.resize(actor.id, size);
  deps.publish(actor.record, 'resize', { height: String(size.rows), width: String(size.columns) });
}
