import { resourceEndpoints, versionAtLeast } from '@fairlead/protocol';
import type { ContainerDeps } from '../../core/container/deps.ts';
import { containerStats, type StatsDeps } from '../../core/container/stats.ts';
import { updateContainer } from '../../core/container/update.ts';
import { route, type Route } from '../route.ts';
import { aboutContainer } from './about.ts';

export type ResourceRoutesDeps = StatsDeps & Pick<ContainerDeps, 'runtime' | 'devices' | 'publish'>;

/** What containers use and may use. Source: engine-api 3.12, 8.3. */
export function resourceRoutes(deps: ResourceRoutesDeps): readonly Route[] {
  return [
    route(resourceEndpoints.stats, async (call) => {
      const { stream = true, 'one-shot': oneShot = false } = call.query;
      const items = containerStats(deps, call.param('id'), { stream, oneShot, signal: call.hangup });
      return { kind: 'json-stream', items };
    }),
    route(resourceEndpoints.update, async (call) => {
      aboutContainer(call, deps.directory.resolve(call.param('id')));
      // A limit of processes can be updated since 1.40. Source: moby v28 postContainerUpdate.
      const body = versionAtLeast(call.apiVersion, '1.40') ? call.body : { ...call.body, PidsLimit: null };
      const warnings = await updateContainer(deps, call.param('id'), body);
      return { kind: 'json', body: { Warnings: warnings.length === 0 ? null : warnings } };
    }),
  ];
}
