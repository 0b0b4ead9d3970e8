import { EngineError, familiarReference, isEngineError, type ContainerConfig, type ImageId } from '@fairlead/protocol';
import { commitImage } from '../image/commit.ts';
import type { ImageDeps } from '../image/deps.ts';
import { applyChanges } from '../image/import-changes.ts';
import type { ImageRuntimeConfig } from '../image/record.ts';
import { targetReference } from '../image/tag.ts';
import type { ContainerActor } from './actor.ts';
import { committedConfig, runtimeConfigOf } from './committed-config.ts';
import { beginFileUse } from './container-view.ts';
import type { FileDeps } from './file-deps.ts';

export interface CommitContainer {
  /** Name of the image, with or without a tag; undefined leaves it without. */
  readonly repo: string | undefined;
  readonly tag: string | undefined;
  readonly author: string;
  readonly comment: string;
  /** Freezes the container's processes while its files are read. */
  readonly pause: boolean;
  /** Dockerfile lines. */
  readonly changes: readonly string[];
  /** What the image runs; empty fields take the container's. Undefined: as the container. */
  readonly config: ContainerConfig | undefined;
}

export interface CommitDeps extends Pick<FileDeps, 'directory' | 'snapshots' | 'publish' | 'fileUses'> {
  readonly imageDeps: ImageDeps;
}

/**
 * Makes an image of a container: its image with a layer of what it changed. Works in every state but dead and removing.
 *
 * All that can be refused is refused before the container is frozen; it is thawed as soon as its files were read. The commit belongs
 * to the engine: it goes on when the caller stops waiting, and ends early only when the container is removed.
 * @throws EngineError 'not-found', 'conflict' when it is dead or being removed, 'invalid-argument' for a bad name or change.
 */
export async function commitContainer(
  deps: CommitDeps,
  actor: ContainerActor,
  command: CommitContainer,
): Promise<ImageId> {
  const { id, record } = actor;
  refuseUnlessThere(actor);
  const name = command.repo ? targetReference(command.repo, command.tag || undefined) : undefined;
  const asked: ImageRuntimeConfig = applyChanges(runtimeConfigOf(command.config ?? record.config), command.changes);
  const parent = deps.imageDeps.directory.resolve(record.imageId);
  // Thawed last: a removal that waits for the end of the use holds up the actor that thaws.
  await using frozen = command.pause ? await freeze(actor) : undefined;
  using _layers = deps.imageDeps.directory.retain(parent.layerIds);
  using use = beginFileUse(deps, actor);
  const { signal } = use;
  const imageId = await commitImage(deps.imageDeps, {
    parent,
    layer: deps.snapshots.layerTar(id, signal),
    layerRead: async () => await frozen?.[Symbol.asyncDispose](),
    config: committedConfig(asked, record.config),
    container: { id, command: record.config.Cmd ?? [], config: record.config },
    author: command.author,
    comment: command.comment,
    name,
    signal,
  });
  const imageRef = name === undefined ? '' : familiarReference(name);
  deps.publish(record, 'commit', { comment: command.comment, imageID: imageId, imageRef });
  return imageId;
}

/** Source: moby, daemon/commit.go. */
function refuseUnlessThere({ id, state }: ContainerActor): void {
  if (state.status === 'dead') throw new EngineError('conflict', `You cannot commit container ${id} which is Dead`);
  if (state.status === 'removing') {
    throw new EngineError('conflict', `You cannot commit container ${id} which is being removed`);
  }
}

/** Undefined when there is nothing to be frozen. Disposing thaws it, once. */
async function freeze(actor: ContainerActor): Promise<AsyncDisposable | undefined> {
  if (actor.state.status !== 'running' || actor.state.paused) return undefined;
  try {
    await actor.send({ type: 'pause-requested', forWork: true });
  } catch (error) {
    // It ended meanwhile, or somebody else paused it: then it is not ours to thaw.
    if (isEngineError(error) && error.kind === 'conflict') return undefined;
    throw error;
  }
  let ours = true;
  return {
    async [Symbol.asyncDispose]() {
      if (!ours) return;
      ours = false;
      const { state } = actor;
      // It was killed, or somebody else thawed it.
      if (state.status === 'running' && state.paused) await actor.send({ type: 'unpause-requested' });
    },
  };
}
