import { EngineError } from '@fairlead/protocol';
import type { ContainerFilesystem, FilesystemView, ViewMount } from '../ports/container-filesystem.ts';
import type { EtcPaths } from '../ports/container-files.ts';
import { sourcesToCreate } from '../spec/mount-points.ts';
import { volumeMountOf } from '../volume/options.ts';
import type { ContainerActor } from './actor.ts';
import type { FileDeps } from './file-deps.ts';
import { mountPointsOf, volumeNamesOf } from './mount-points.ts';
import { viewMounts } from './view-mounts.ts';

/** A view of a container's files, and the claim on them: to be disposed together. */
export interface OpenedView extends AsyncDisposable {
  readonly view: FilesystemView;
  /** Aborts when the container is being removed. */
  readonly removal: AbortSignal;
}

/**
 * Opens a container's files in whatever state it is, with its binds, volumes and tmpfs mounts.
 * @throws EngineError 'conflict' while it is being removed, 'invalid-argument' for a bind whose source is gone.
 */
export async function openContainerView(deps: FileDeps, actor: ContainerActor): Promise<OpenedView> {
  const { record, state } = actor;
  const points = mountPointsOf(record);
  return await openView(deps, actor, async (open) => {
    const running = state.status === 'running' ? state.created.process : undefined;
    if (running === undefined) {
      await Promise.all(sourcesToCreate(points).map((path) => deps.files.ensureBindSource(path)));
    }
    const etc = await writtenEtcFiles(deps, actor);
    const mounts = viewMounts(points, { etc, volumePath: (name) => deps.volumes.store.path(name) });
    return await withVolumes(deps, actor, () => open(mounts, running));
  });
}

/** Opens a container's root filesystem alone, without what is mounted on it. @throws as {@link openContainerView}. */
export async function openRootView(deps: FileDeps, actor: ContainerActor): Promise<OpenedView> {
  return await openView(deps, actor, (open) => open([], undefined));
}

type Open = (
  mounts: readonly ViewMount[],
  process: Parameters<ContainerFilesystem['open']>[0]['process'],
) => Promise<FilesystemView>;

async function openView(
  deps: FileDeps,
  actor: ContainerActor,
  work: (open: Open) => Promise<FilesystemView>,
): Promise<OpenedView> {
  await using undo = new AsyncDisposableStack();
  const use = undo.use(beginFileUse(deps, actor));
  const held = undo.use(await deps.snapshots.hold(actor.id));
  const view = undo.use(
    await work((mounts, process) => deps.filesystem.open({ rootPath: held.path, mounts, process })),
  );
  const owned = undo.move();
  return { view, removal: use.signal, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Claims a container's files until disposed. @throws EngineError 'conflict' while it is being removed, and when it is dead. */
export function beginFileUse(
  deps: Pick<FileDeps, 'fileUses'>,
  { id, state }: ContainerActor,
): ReturnType<FileDeps['fileUses']['begin']> {
  if (state.status === 'removing') throw new EngineError('conflict', `container ${id} is being removed`);
  if (state.status === 'dead') throw new EngineError('conflict', `container ${id} is dead`);
  return deps.fileUses.begin(id);
}

/** The engine's own files are written when a container is started for the first time. */
async function writtenEtcFiles(deps: FileDeps, { id }: ContainerActor): Promise<Partial<EtcPaths>> {
  const paths = deps.files.etcPaths(id);
  const written = await deps.files.exists(paths.hosts);
  return written ? paths : {};
}

/**
 * Mounts what the container's volumes mount while a view is made: the view keeps it, so that it can go again at once unless a
 * container that runs needs it.
 */
async function withVolumes<T>(deps: FileDeps, { record }: ContainerActor, work: () => Promise<T>): Promise<T> {
  const { directory, store } = deps.volumes;
  await using undo = new AsyncDisposableStack();
  for (const name of volumeNamesOf(record)) {
    const request = volumeMountOf(directory.resolve(name).options);
    if (request === undefined) continue;
    await directory.exclusive(name, () => store.mount(name, request));
    undo.defer(() =>
      directory.exclusive(name, async () => {
        if (!directory.isNeeded(name)) await store.unmount(name);
      }),
    );
  }
  return await work();
}
