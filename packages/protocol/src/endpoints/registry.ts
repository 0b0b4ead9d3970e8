import type { WireSchema } from '../codec/go-schema.ts';
import type { NoQuery } from '../codec/query.ts';
import { jsonBody, noBody, type Endpoint, type JsonBody, type JsonResponse, type NoBody } from '../endpoint.ts';
import { type DistributionInspect, type RegistryAuthBody, type RegistryAuthResponse } from '../models/registry.ts';

/** What the engine asks of registries for a client. */
export interface RegistryEndpoints {
  /** Tries a login. The engine keeps nothing of it. */
  readonly auth: Endpoint<NoQuery, JsonBody<WireSchema<RegistryAuthBody>>, JsonResponse<RegistryAuthResponse>>;
  /** What the registry has under a name, without pulling it; who asks is in `X-Registry-Auth`. */
  readonly distribution: Endpoint<NoQuery, NoBody, JsonResponse<DistributionInspect>>;
}

/** What the engine asks of registries for a client. Source: Docker Engine API 1.44 reference, SystemAuth, DistributionInspect. */
export const registryEndpoints: RegistryEndpoints = {
  auth: {
    method: 'POST',
    path: '/auth',
    query: {},
    body: jsonBody('registry login'),
    response: { kind: 'json' },
    success: [200, 204],
    notServed: true,
  },
  distribution: {
    method: 'GET',
    path: '/distribution/{name...}/json',
    query: {},
    body: noBody,
    response: { kind: 'json' },
    success: [200],
    notServed: true,
  },
};
