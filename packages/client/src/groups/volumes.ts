import {
  type BodyInputOf,
  type Filters,
  type Volume,
  type VolumeEndpoints,
  volumeEndpoints as rows,
  type VolumeList,
  type VolumePruneReport,
} from '@fairlead/protocol';
import { call } from '../call.ts';
import { type ClientDeps, type Listening, signalOf } from './group.ts';

/** What a new volume may have; without a name it is an anonymous one. */
export type CreateVolumeRequest = BodyInputOf<VolumeEndpoints['create']>;

/** Volumes of one engine, by name. */
export class VolumeGroup {
  readonly #deps: ClientDeps;

  constructor(deps: ClientDeps) {
    this.#deps = deps;
  }

  async list(options: Listening & { readonly filters?: Filters | undefined } = {}): Promise<VolumeList> {
    const { filters } = options;
    const asked = { operation: 'list volumes', query: { filters }, signal: signalOf(options) };
    return (await call(this.#deps, rows.list, asked)).body;
  }

  /** @throws RequestFailedError 'not-found'. */
  async inspect(name: string, options: Listening = {}): Promise<Volume> {
    const asked = { operation: `inspect volume ${name}`, params: { name }, signal: signalOf(options) };
    return (await call(this.#deps, rows.inspect, asked)).body;
  }

  /** One of that name that is there already is given back as it is. */
  async create(body: CreateVolumeRequest = {}, options: Listening = {}): Promise<Volume> {
    const asked = { operation: `create volume ${body.Name ?? ''}`.trimEnd(), body, signal: signalOf(options) };
    return (await call(this.#deps, rows.create, asked)).body;
  }

  /** `force`: one that does not exist is no failure. @throws RequestFailedError 'conflict' when a container has it. */
  async remove(name: string, options: Listening & { readonly force?: boolean | undefined } = {}): Promise<void> {
    const query = { force: options.force };
    const asked = { operation: `remove volume ${name}`, params: { name }, query, signal: signalOf(options) };
    await call(this.#deps, rows.remove, asked);
  }

  /** Removes the anonymous ones that no container has; with the filter `all=true` also those with a name. */
  async prune(options: Listening & { readonly filters?: Filters | undefined } = {}): Promise<VolumePruneReport> {
    const { filters } = options;
    const asked = { operation: 'prune volumes', query: { filters }, signal: signalOf(options) };
    return (await call(this.#deps, rows.prune, asked)).body;
  }
}
