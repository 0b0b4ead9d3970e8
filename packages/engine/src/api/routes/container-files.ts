import {
  containerConfigSchema,
  containerFileEndpoints,
  decodeBody,
  encodePathStat,
  PATH_STAT_HEADER,
  type ContainerConfig,
  type ContainerPathStat,
} from '@fairlead/protocol';
import { archiveContainerPath, putContainerArchive, statContainerPath } from '../../core/container/archive.ts';
import { containerChanges } from '../../core/container/changes.ts';
import { commitContainer, type CommitDeps } from '../../core/container/commit.ts';
import { exportContainer } from '../../core/container/export.ts';
import type { FileDeps } from '../../core/container/file-deps.ts';
import type { ArchiveReader } from '../../core/ports/archive-reader.ts';
import { acceptedEncoding, compressed } from '../../lib/compressed.ts';
import { route, type Call, type Route } from '../route.ts';
import { aboutContainer } from './about.ts';

/** What the routes about containers' files work with. */
export type ContainerFileRouteDeps = FileDeps & CommitDeps & { readonly archives: ArchiveReader };

/** The files of containers, from outside. Source: engine-api 8.5, 9.1. */
export function containerFileRoutes(deps: ContainerFileRouteDeps): readonly Route[] {
  return [...archiveRoutes(deps), ...layerRoutes(deps)];
}

function archiveRoutes(deps: ContainerFileRouteDeps): readonly Route[] {
  const { statPath, getArchive, putArchive } = containerFileEndpoints;
  return [
    route(statPath, async (call) => {
      tellStat(call, await statContainerPath(deps, call.param('id'), call.query.path));
      return { kind: 'empty' };
    }),
    route(getArchive, async (call) => {
      const { hangup: signal } = call;
      const { stat, chunks } = await archiveContainerPath(deps, call.param('id'), { path: call.query.path, signal });
      tellStat(call, stat);
      const encoding = acceptedEncoding(call.header('accept-encoding'));
      if (encoding === undefined) return { kind: 'bytes', contentType: TAR_TYPE, chunks };
      call.setHeader('Content-Encoding', encoding);
      return { kind: 'bytes', contentType: TAR_TYPE, chunks: compressed(chunks, encoding) };
    }),
    route(putArchive, async (call) => {
      aboutContainer(call, deps.directory.resolve(call.param('id')));
      await putContainerArchive(deps, call.param('id'), {
        path: call.query.path,
        keepTypes: call.query.noOverwriteDirNonDir === true,
        toUser: call.query.copyUIDGID === true,
        source: call.bytes,
      });
      return { kind: 'empty' };
    }),
  ];
}

const TAR_TYPE = 'application/x-tar';

function layerRoutes(deps: ContainerFileRouteDeps): readonly Route[] {
  const { export: exported, changes, commit } = containerFileEndpoints;
  return [
    route(exported, async (call) => {
      const chunks = await exportContainer(deps, call.param('id'), { signal: call.hangup });
      return { kind: 'bytes', contentType: 'application/octet-stream', chunks };
    }),
    route(changes, async (call) => ({
      kind: 'json',
      body: await containerChanges(deps, call.param('id'), call.hangup),
    })),
    route(commit, async (call) => {
      const { query, body: config } = call;
      const actor = deps.directory.resolve(query.container ?? '');
      aboutContainer(call, actor);
      const id = await commitContainer(deps, actor, {
        repo: query.repo,
        tag: query.tag,
        author: query.author ?? '',
        comment: query.comment ?? '',
        pause: query.pause ?? true,
        changes: query.changes ?? [],
        config: saysNothing(config) ? undefined : config,
      });
      return { kind: 'json', body: { Id: id } };
    }),
  ];
}

/** Clients that have no config send nothing, `null` or `{}`: for Go it is none. */
function saysNothing(config: ContainerConfig): boolean {
  return JSON.stringify(config) === NO_CONFIG;
}

const NO_CONFIG = JSON.stringify(decodeBody(containerConfigSchema, '{}'));

function tellStat(call: Pick<Call, 'setHeader'>, stat: ContainerPathStat): void {
  call.setHeader(PATH_STAT_HEADER, encodePathStat(stat));
}
