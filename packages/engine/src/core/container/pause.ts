import type { ContainerRef } from '@fairlead/protocol';
import type { ContainerDeps } from './deps.ts';

/** Freezes every process of a container. @throws EngineError 'conflict' unless it runs and is not paused. */
export async function pauseContainer(deps: Pick<ContainerDeps, 'directory'>, ref: ContainerRef): Promise<void> {
  await deps.directory.resolve(ref).send({ type: 'pause-requested' });
}

/** Thaws a paused container. @throws EngineError 'internal' when it is not paused: Docker answers 500. */
export async function unpauseContainer(deps: Pick<ContainerDeps, 'directory'>, ref: ContainerRef): Promise<void> {
  await deps.directory.resolve(ref).send({ type: 'unpause-requested' });
}
