import { EngineError } from '@fairlead/protocol';
import type { CreatedProcess } from '../ports/container-runtime.ts';
import type { NetworkEndpoint } from '../ports/network-driver.ts';
import { buildSpec } from '../spec/build-spec.ts';
import { etcFilesFor } from '../spec/etc-files.ts';
import { resolveUser } from '../spec/resolve-user.ts';
import type { ContainerDeps } from './deps.ts';
import type { ContainerRecord } from './record.ts';

/** What one launch works with. */
export type LaunchDeps = Pick<
  ContainerDeps,
  'runtime' | 'snapshots' | 'network' | 'files' | 'facts' | 'attachments'
>;

/** A passwd or group file longer than this is not read. */
export const ACCOUNT_FILE_BYTES_MAX: number = 1024 * 1024;

/**
 * Makes a container's process and lets it run: root filesystem, files, specification, process, network, attachers, go.
 * What was done is undone when a later step fails.
 *
 * @throws EngineError in Docker's words; `details.exitCode` is what inspect shows.
 */
export async function launchContainer(
  deps: LaunchDeps,
  record: ContainerRecord,
): Promise<{ readonly created: CreatedProcess; readonly endpoint: NetworkEndpoint | null }> {
  const { id } = record;
  await using undo = new AsyncDisposableStack();
  undo.defer(() => deps.snapshots.unmount(id));
  const rootPath = await deps.snapshots.mount(id);
  const endpoint = usesBridge(record) ? deps.network.reserve(id) : null;
  if (endpoint !== null) undo.defer(() => deps.network.release(id));
  const spec = await specFor(deps, record, { rootPath, endpoint });
  undo.defer(() => deps.runtime.delete(id));
  const { Tty, OpenStdin, StdinOnce } = record.config;
  const created = await deps.runtime.create({ id, spec, tty: Tty, openStdin: OpenStdin, stdinOnce: StdinOnce });
  await Promise.all([
    endpoint === null ? undefined : deps.network.connect({ id, pid: created.process.pid }, endpoint),
    deps.attachments.connectAll(id),
  ]);
  await deps.runtime.start(id);
  undo.move();
  return { created, endpoint };
}

/** Whether the container has an address on the default bridge. */
export function usesBridge(record: ContainerRecord): boolean {
  const mode = record.hostConfig.NetworkMode;
  return (mode === '' || mode === 'default' || mode === 'bridge') && !record.config.NetworkDisabled;
}

/** A passwd and a group file of a root filesystem; empty text where there is none. */
export async function readAccounts(
  deps: Pick<ContainerDeps, 'files'>,
  rootPath: string,
): Promise<{ readonly passwd: string; readonly group: string }> {
  const [passwd, group] = await Promise.all([
    deps.files.readInside(rootPath, '/etc/passwd', ACCOUNT_FILE_BYTES_MAX),
    deps.files.readInside(rootPath, '/etc/group', ACCOUNT_FILE_BYTES_MAX),
  ]);
  return { passwd: passwd ?? '', group: group ?? '' };
}

async function specFor(
  deps: LaunchDeps,
  record: ContainerRecord,
  place: { readonly rootPath: string; readonly endpoint: NetworkEndpoint | null },
): ReturnType<typeof Promise.resolve<never>> {
  throw new EngineError('not-implemented', String([deps, record, place, buildSpec, etcFilesFor, resolveUser]));
}
