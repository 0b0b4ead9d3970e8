import type { ShapeOf } from '../codec/query.ts';
import * as scalar from '../codec/scalars.ts';
import { noBody, type Endpoint, type JsonResponse, type NoBody, type OperationVerb } from '../endpoint.ts';
import type { Filters } from '../filters.ts';
import type {
  PruneBuildReport,
  PruneContainersReport,
  PruneImagesReport,
  PruneNetworksReport,
} from '../models/prune-reports.ts';

export interface PruneQuery {
  readonly filters?: Filters;
}

type Row<R> = Endpoint<ShapeOf<PruneQuery>, NoBody, JsonResponse<R>>;

/** Everything that removes what nobody uses. */
export interface PruneEndpoints {
  readonly containers: Row<PruneContainersReport>;
  readonly images: Row<PruneImagesReport>;
  readonly networks: Row<PruneNetworksReport>;
  readonly build: Row<PruneBuildReport>;
}

const query: ShapeOf<PruneQuery> = { filters: scalar.filters };

/** Everything that removes what nobody uses. Source: engine-api 9. */
export const pruneEndpoints: PruneEndpoints = {
  containers: row('/containers/prune', 'container-prune'),
  images: row('/images/prune', 'image-prune'),
  networks: row('/networks/prune'),
  build: row('/build/prune'),
};

// @__NO_SIDE_EFFECTS__
function row<R>(path: string, operation?: OperationVerb): Row<R> {
  const always = { method: 'POST', path, query, body: noBody, response: { kind: 'json' }, success: [200] } as const;
  return operation === undefined ? always : { ...always, operation };
}
