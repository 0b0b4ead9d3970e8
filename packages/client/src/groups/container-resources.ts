import {
  type BodyInputOf,
  type ContainerRef,
  type ContainerStats,
  type Filters,
  pruneEndpoints,
  type PruneContainersReport,
  type ResourceEndpoints,
  resourceEndpoints as rows,
  type UpdateContainerResponse,
} from '@fairlead/protocol';
import { call, callStream } from '../call.ts';
import { ProtocolError } from '../errors.ts';
import { jsonFeed } from '../streams/json-feed.ts';
import { type ClientDeps, type Listening, signalOf } from './group.ts';

/** Limits and restart policy to be changed; what is absent stays. */
export type UpdateRequest = BodyInputOf<ResourceEndpoints['update']>;

/**
 * A document about once a second, until the container is removed. Who reads slowly gets older ones; breaking off frees the connection.
 *
 * @throws as `callStream`; as `jsonFeed`.
 */
export async function* followStats(
  deps: ClientDeps,
  ref: ContainerRef,
  options: Listening,
): AsyncGenerator<ContainerStats, void, undefined> {
  const asked = { operation: `stats ${ref}`, params: { id: ref }, query: { stream: true }, signal: signalOf(options) };
  yield* jsonFeed<ContainerStats>(await callStream(deps, rows.stats, asked), asked);
}

/** One document; zeros for a container that does not run. @throws ProtocolError when there is none. */
export async function statsOnce(
  deps: ClientDeps,
  ref: ContainerRef,
  options: Listening & { readonly oneShot?: boolean | undefined },
): Promise<ContainerStats> {
  const operation = `stats ${ref}`;
  const query = { stream: false, 'one-shot': options.oneShot };
  const asked = { operation, params: { id: ref }, query, signal: signalOf(options) };
  for await (const stats of jsonFeed<ContainerStats>(await callStream(deps, rows.stats, asked), asked)) return stats;
  throw new ProtocolError(`the engine sent no figures (${operation})`, { operation });
}

/** Changes limits. */
export async function updateContainer(
  deps: ClientDeps,
  { ref, request }: { readonly ref: ContainerRef; readonly request: UpdateRequest },
  options: Listening,
): Promise<UpdateContainerResponse> {
  const asked = { operation: `update ${ref}`, params: { id: ref }, body: request, signal: signalOf(options) };
  return (await call(deps, rows.update, asked)).body;
}

/** Removes every container that does not run. */
export async function pruneContainers(
  deps: ClientDeps,
  options: Listening & { readonly filters?: Filters | undefined },
): Promise<PruneContainersReport> {
  const { filters } = options;
  const asked = { operation: 'prune containers', query: { filters }, signal: signalOf(options) };
  return (await call(deps, pruneEndpoints.containers, asked)).body;
}
