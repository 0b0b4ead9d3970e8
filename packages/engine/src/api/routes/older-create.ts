import { versionAtLeast, type ApiVersion, type CreateContainerBody } from '@fairlead/protocol';

/**
 * What a create of an older client means: before 1.25 it removed containers itself, before 1.40 other containers could join the shared
 * memory of every one. Source: engine-api 1.9.
 */
export function createBodyOf(body: CreateContainerBody, apiVersion: ApiVersion): CreateContainerBody {
  const { AutoRemove, IpcMode } = body.HostConfig;
  return {
    ...body,
    HostConfig: {
      ...body.HostConfig,
      AutoRemove: AutoRemove && versionAtLeast(apiVersion, '1.25'),
      IpcMode: IpcMode || (versionAtLeast(apiVersion, '1.40') ? '' : 'shareable'),
    },
  };
}
