import {
  type ImageDeleted,
  type ImageEndpoints,
  imageEndpoints as rows,
  type ImageHistoryEntry,
  type ImageInspect,
  type ImageSummary,
  type ProgressMessage,
  type QueryOf,
} from '@fairlead/protocol';
import { call, callStream } from '../call.ts';
import { RequestFailedError } from '../errors.ts';
import { jsonFeed } from '../streams/json-feed.ts';
import { type ClientDeps, type Listening, signalOf } from './group.ts';

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

  /** Reads images from a tar, as `docker save` writes it. @throws RequestFailedError also for failures after the head. */
  load(
    tar: AsyncIterable<Uint8Array>,
    options: Listening & { readonly quiet?: boolean } = {},
  ): AsyncGenerator<ProgressMessage, void, undefined> {
    const query = { quiet: options.quiet ?? false };
    return this.#progress(rows.load, { operation: 'load', bytes: tar, query, signal: signalOf(options) });
  }

  /** Makes an image of a root filesystem in a tar. @throws as `load`. */
  async *import(
    tar: AsyncIterable<Uint8Array>,
    options: Listening & Omit<QueryOf<ImageEndpoints['import']>, 'fromSrc' | 'fromImage'> = {},
  ): AsyncGenerator<ProgressMessage, void, undefined> {
    const { signal, ...named } = options;
    const query = { ...named, fromSrc: '-' };
    yield* this.#progress(rows.import, { operation: 'import', bytes: tar, query, signal: signalOf({ signal }) });
  }

  /** Gets an image from a registry. @throws as `load`. */
  async *pull(
    ref: string,
    options: Listening & { readonly tag?: string } = {},
  ): AsyncGenerator<ProgressMessage, void, undefined> {
    const query = { fromImage: ref, tag: options.tag };
    // No credentials: an empty document, as the docker CLI sends it.
    const headers = { 'X-Registry-Auth': 'e30=' };
    yield* this.#progress(rows.import, { operation: `pull ${ref}`, query, headers, signal: signalOf(options) });
  }

  async *#progress<E extends ImageEndpoints['load'] | ImageEndpoints['import']>(
    row: E,
    asked: Parameters<typeof callStream<E>>[2],
  ): AsyncGenerator<ProgressMessage, void, undefined> {
    const { operation } = asked;
    const answer = await callStream(this.#deps, row, asked);
    for await (const message of jsonFeed<ProgressMessage>(answer, asked)) {
      const failure = message.errorDetail?.message ?? message.error;
      if (failure !== undefined)
        throw new RequestFailedError('internal', failure, { operation, status: answer.status });
      yield message;
    }
  }
}
