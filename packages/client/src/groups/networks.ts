import {
  type BodyInputOf,
  type ContainerRef,
  type CreateNetworkResponse,
  type EndpointRequest,
  type Filters,
  type Network,
  type NetworkEndpoints,
  networkEndpoints as rows,
  pruneEndpoints,
  type PruneNetworksReport,
  type WireInput,
} from '@fairlead/protocol';
import { call } from '../call.ts';
import { type ClientDeps, type Listening, signalOf } from './group.ts';

/** What a new network may have; all but the name is optional. */
export type CreateNetworkRequest = BodyInputOf<NetworkEndpoints['create']> & { readonly Name: string };

/** Networks of one engine. A `ref` is a name, an id or a unique prefix of one. */
export class NetworkGroup {
  readonly #deps: ClientDeps;

  constructor(deps: ClientDeps) {
    this.#deps = deps;
  }

  /** Without their containers: `inspect` tells those. */
  async list(options: Listening & { readonly filters?: Filters | undefined } = {}): Promise<readonly Network[]> {
    const { filters } = options;
    const asked = { operation: 'list networks', query: { filters }, signal: signalOf(options) };
    return (await call(this.#deps, rows.list, asked)).body;
  }

  /** @throws RequestFailedError 'not-found'. */
  async inspect(
    ref: string,
    options: Listening & { readonly scope?: 'local' | 'global' | 'swarm' | undefined } = {},
  ): Promise<Network> {
    const query = { scope: options.scope };
    const asked = { operation: `inspect network ${ref}`, params: { id: ref }, query, signal: signalOf(options) };
    return (await call(this.#deps, rows.inspect, asked)).body;
  }

  /** @throws RequestFailedError 'conflict' when the name is taken, 'forbidden' for the predefined names. */
  async create(body: CreateNetworkRequest, options: Listening = {}): Promise<CreateNetworkResponse> {
    const operation = `create network ${body.Name}`;
    const asked = { operation, body: { CheckDuplicate: true, ...body }, signal: signalOf(options) };
    return (await call(this.#deps, rows.create, asked)).body;
  }

  /** Lets a container join it, running or not. */
  async connect(
    ref: string,
    container: ContainerRef,
    options: Listening & { readonly endpoint?: WireInput<EndpointRequest> | undefined } = {},
  ): Promise<void> {
    const body = { Container: container, EndpointConfig: options.endpoint ?? {} };
    const asked = { operation: `connect ${container} to ${ref}`, params: { id: ref }, body, signal: signalOf(options) };
    await call(this.#deps, rows.connect, asked);
  }

  /** `force`: also when the container is gone. */
  async disconnect(
    ref: string,
    container: ContainerRef,
    options: Listening & { readonly force?: boolean | undefined } = {},
  ): Promise<void> {
    const body = { Container: container, Force: options.force ?? false };
    const operation = `disconnect ${container} from ${ref}`;
    await call(this.#deps, rows.disconnect, { operation, params: { id: ref }, body, signal: signalOf(options) });
  }

  /** @throws RequestFailedError 'forbidden' for predefined ones and for those in use. */
  async remove(ref: string, options: Listening = {}): Promise<void> {
    const asked = { operation: `remove network ${ref}`, params: { id: ref }, signal: signalOf(options) };
    await call(this.#deps, rows.remove, asked);
  }

  /** Removes those that no container is in. */
  async prune(options: Listening & { readonly filters?: Filters | undefined } = {}): Promise<PruneNetworksReport> {
    const { filters } = options;
    const asked = { operation: 'prune networks', query: { filters }, signal: signalOf(options) };
    return (await call(this.#deps, pruneEndpoints.networks, asked)).body;
  }
}
