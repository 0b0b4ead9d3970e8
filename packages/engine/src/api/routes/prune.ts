import { NO_FILTERS, pruneEndpoints, type Filters } from '@fairlead/protocol';
import type { ContainerDeps } from '../../core/container/deps.ts';
import { pruneContainers } from '../../core/container/prune.ts';
import type { ImageDeps } from '../../core/image/deps.ts';
import { pruneImages } from '../../core/image/prune.ts';
import { publishPrune, type PruneDeps } from '../../core/prune/prune-deps.ts';
import { pruneFilter } from '../../core/prune/prune-filters.ts';
import { route, type Route } from '../route.ts';

export interface PruneRoutesDeps {
  readonly containers: Pick<ContainerDeps, 'directory' | 'snapshots' | 'clock'> & PruneDeps;
  readonly images: Pick<ImageDeps, 'directory' | 'layers' | 'clock' | 'publish'> & PruneDeps;
}

const NETWORK_FILTERS: readonly string[] = ['label', 'label!', 'until'];

/** What removes what nobody uses. Source: engine-api 9. */
export function pruneRoutes(deps: PruneRoutesDeps): readonly Route[] {
  return [
    route(pruneEndpoints.containers, async ({ query }) => ({
      kind: 'json',
      body: await pruneContainers(deps.containers, query.filters ?? NO_FILTERS),
    })),
    route(pruneEndpoints.images, async ({ query }) => ({
      kind: 'json',
      body: await pruneImages(deps.images, query.filters ?? NO_FILTERS),
    })),
    route(pruneEndpoints.networks, async ({ query }) => ({
      kind: 'json',
      body: pruneNetworks(deps, query.filters ?? NO_FILTERS),
    })),
    // There is no builder, and so no cache of one.
    route(pruneEndpoints.build, async () => ({ kind: 'json', body: { CachesDeleted: null, SpaceReclaimed: 0 } })),
  ];
}

/** There are predefined networks only, and they never go. */
function pruneNetworks({ containers }: PruneRoutesDeps, filters: Filters): { readonly NetworksDeleted: null } {
  pruneFilter(filters, { known: NETWORK_FILTERS, now: containers.clock.now() });
  publishPrune(containers, 'network', 0);
  return { NetworksDeleted: null };
}
