import { EngineError, networkEndpoints, NO_FILTERS } from '@fairlead/protocol';
import type { NetworkDeps } from '../../core/network/deps.ts';
import { refusedCreation, refusedRemoval } from '../../core/network/refuse.ts';
import { inspectNetwork, listNetworks } from '../../core/network/view.ts';
import { route, type Route } from '../route.ts';

/** Everything under `/networks`: the predefined networks; others cannot be made yet. Source: engine-api 9.2. */
export function networkRoutes(deps: NetworkDeps): readonly Route[] {
  const { list, inspect, create, remove } = networkEndpoints;
  return [
    route(list, async ({ query }) => ({ kind: 'json', body: listNetworks(deps, query.filters ?? NO_FILTERS) })),
    route(inspect, async (call) => {
      const { scope = '' } = call.query;
      if (scope !== '' && scope !== 'local') {
        throw new EngineError('not-found', `network ${call.param('id')} not found`);
      }
      return { kind: 'json', body: inspectNetwork(deps, call.param('id')) };
    }),
    route(create, async (call) => {
      throw refusedCreation(call.body);
    }),
    route(remove, async (call) => {
      throw refusedRemoval(deps, call.param('id'));
    }),
  ];
}
