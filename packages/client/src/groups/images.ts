import {
  type DistributionInspect,
  type Filters,
  type ImageDeleted,
  type ImageEndpoints,
  imageEndpoints as rows,
  type ImageHistoryEntry,
  type ImageInspect,
  type ImageSearchResult,
  type ImageSummary,
  pruneEndpoints,
  type PruneImagesReport,
  type QueryOf,
  registryEndpoints,
} from '@fairlead/protocol';
import { call, callStream } from '../call.ts';
import { type RegistryLogin, registryKeyOf } from '../registry/registry-login.ts';
import { ByteStream } from '../streams/byte-stream.ts';
import { Transfer } from '../transfer/transfer.ts';
import type { ClientDeps, Listening } from './group.ts';
import { signalOf } from './group.ts';
import type { BuildContext, BuildOptions, BuildResult } from './image-build.ts';
import { registryAuth } from './image-auth.ts';
import type * as Transfers from './image-transfers.ts';
import type { ImportOptions, PullOptions, PushOptions } from './image-transfers.ts';

/** Images of one engine. A `ref` is a name with or without tag, a digest, an id or a unique prefix of one. */
export class ImageGroup {
  readonly #deps: ClientDeps;

  constructor(deps: ClientDeps) {
    this.#deps = deps;
  }

  async list(options: Listening & QueryOf<ImageEndpoints['list']> = {}): Promise<readonly ImageSummary[]> {
    const { signal, ...query } = options;
    const asked = { operation: 'list images', query, signal: signalOf({ signal }) };
    return (await call(this.#deps, rows.list, asked)).body;
  }

  async inspect(ref: string, options: Listening = {}): Promise<ImageInspect> {
    const asked = { operation: `inspect ${ref}`, params: { name: ref }, signal: signalOf(options) };
    return (await call(this.#deps, rows.inspect, asked)).body;
  }

  async history(ref: string, options: Listening = {}): Promise<readonly ImageHistoryEntry[]> {
    const asked = { operation: `history ${ref}`, params: { name: ref }, signal: signalOf(options) };
    return (await call(this.#deps, rows.history, asked)).body;
  }

  async tag(
    ref: string,
    target: { readonly repo: string; readonly tag?: string | undefined } & Listening,
  ): Promise<void> {
    const query = { repo: target.repo, tag: target.tag };
    await call(this.#deps, rows.tag, {
      operation: `tag ${ref}`,
      params: { name: ref },
      query,
      signal: signalOf(target),
    });
  }

  async remove(
    ref: string,
    options: Listening & QueryOf<ImageEndpoints['remove']> = {},
  ): Promise<readonly ImageDeleted[]> {
    const { signal, ...query } = options;
    const asked = { operation: `remove ${ref}`, params: { name: ref }, query, signal: signalOf({ signal }) };
    return (await call(this.#deps, rows.remove, asked)).body;
  }

  /** Removes those without a name that nobody uses; with the filter `dangling=false` also those with one. */
  async prune(options: Listening & { readonly filters?: Filters | undefined } = {}): Promise<PruneImagesReport> {
    const { filters } = options;
    const asked = { operation: 'prune images', query: { filters }, signal: signalOf(options) };
    return (await call(this.#deps, pruneEndpoints.images, asked)).body;
  }

  /**
   * Reads images from a tar, as `save` gives it.
   *
   * @returns what to await, for their names (ids where they have none), or to iterate, for the progress. @throws as `Transfer`.
   */
  load(
    tar: AsyncIterable<Uint8Array>,
    options: Listening & { readonly quiet?: boolean } = {},
  ): Transfer<readonly string[]> {
    return new Transfer('load', async () => (await transfers()).loadImages(this.#deps, tar, options));
  }

  /** Makes an image of a root filesystem in a tar. @returns to be awaited, for its id, or iterated. @throws as `Transfer`. */
  import(tar: AsyncIterable<Uint8Array>, options: ImportOptions = {}): Transfer<string | undefined> {
    return new Transfer('import', async () => (await transfers()).importImage(this.#deps, tar, options));
  }

  /**
   * Gets an image from its registry: `latest`, when the name has neither tag nor digest.
   *
   * The login is `auth`, else the one that Docker's CLI keeps for the registry, else none.
   * @returns what to await, for the digest, or to iterate, for the progress.
   * @throws as `Transfer`; RequestFailedError 'not-found' when the registry has none of that name; as `DockerLogins`.
   */
  pull(ref: string, options: PullOptions = {}): Transfer<string | undefined> {
    return new Transfer(`pull ${ref}`, async () => (await transfers()).pullImage(this.#deps, ref, options));
  }

  /** Gives an image to the registry in its name. Login, result and failures as with `pull`. */
  push(ref: string, options: PushOptions = {}): Transfer<string | undefined> {
    return new Transfer(`push ${ref}`, async () => (await transfers()).pushImage(this.#deps, ref, options));
  }

  /**
   * Builds an image with the classic builder.
   *
   * @param context a directory, less what its `.dockerignore` names; or a tar
   * @returns what to await, for the image's id, or to iterate: `message.stream` is what `docker build` prints.
   * @throws as `Transfer`: its `code` is the exit code of the step that failed.
   */
  build(context: BuildContext, options: BuildOptions = {}): Transfer<BuildResult> {
    return new Transfer('build', async () => {
      const { buildImage } = await import('./image-build.ts');
      return buildImage(this.#deps, context, options);
    });
  }

  /** Images as a tar that `load` reads; layers they share are in it once. @throws as `ByteStream`. */
  async *save(refs: string | readonly string[], options: Listening = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const signal = signalOf(options);
    const operation = `save ${String(refs)}`;
    const answer =
      typeof refs === 'string'
        ? await callStream(this.#deps, rows.saveOne, { operation, params: { name: refs }, signal })
        : await callStream(this.#deps, rows.save, { operation, query: { names: refs }, signal });
    yield* new ByteStream(answer, { operation, signal });
  }

  /** Asks Docker Hub. `limit`: 25 when absent, 100 at most. */
  async search(
    term: string,
    options: Listening & { readonly limit?: number | undefined; readonly filters?: Filters | undefined } = {},
  ): Promise<readonly ImageSearchResult[]> {
    const query = { term, limit: options.limit, filters: options.filters };
    const asked = { operation: `search ${term}`, query, signal: signalOf(options) };
    return (await call(this.#deps, rows.search, asked)).body;
  }

  /** What the registry has under a name, without getting it. Login as with `pull`. */
  async inspectRemote(
    ref: string,
    options: Listening & { readonly auth?: RegistryLogin | 'anonymous' | undefined } = {},
  ): Promise<DistributionInspect> {
    const signal = signalOf(options);
    const headers = await registryAuth(this.#deps, { key: registryKeyOf(ref), auth: options.auth }, signal);
    const asked = { operation: `inspect ${ref} in its registry`, params: { name: ref }, headers, signal };
    return (await call(this.#deps, registryEndpoints.distribution, asked)).body;
  }
}

/** Loaded by those who transfer only. */
function transfers(): Promise<typeof Transfers> {
  return import('./image-transfers.ts');
}
