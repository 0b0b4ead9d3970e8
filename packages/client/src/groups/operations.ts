import { type FairleadEndpoints, fairleadEndpoints as rows, type Operation, type QueryOf } from '@fairlead/protocol';
import { call, callStream } from '../call.ts';
import { jsonFeed } from '../streams/json-feed.ts';
import { type ClientDeps, type Listening, signalOf } from './group.ts';

/** The engine's ledger of everything that was asked to change something. Only Fairlead keeps one. */
export class OperationGroup {
  readonly #deps: ClientDeps;

  constructor(deps: ClientDeps) {
    this.#deps = deps;
  }

  /** Newest first. @throws RequestFailedError 'not-found' from engines without a ledger. */
  async list(options: Listening & QueryOf<FairleadEndpoints['operations']> = {}): Promise<readonly Operation[]> {
    const { signal, ...query } = options;
    const asked = { operation: 'list operations', query, signal: signalOf({ signal }) };
    return (await call(this.#deps, rows.operations, asked)).body;
  }

  /**
   * Those that are over from now on, as they end, and before that when their caller hangs up. Resolves when the engine has begun to tell:
   * what happens after that is not missed. Breaking off the iteration frees the connection.
   *
   * @throws RequestFailedError 'not-found' from engines without a ledger; the iteration as `jsonFeed`.
   */
  async follow(
    options: Listening & QueryOf<FairleadEndpoints['followOperations']> = {},
  ): Promise<AsyncGenerator<Operation, void, undefined>> {
    const { signal, ...query } = options;
    const asked = { operation: 'follow operations', query, signal: signalOf({ signal }) };
    return jsonFeed<Operation>(await callStream(this.#deps, rows.followOperations, asked), asked);
  }

  async inspect(id: string, options: Listening = {}): Promise<Operation> {
    const asked = { operation: `inspect operation ${id}`, params: { id }, signal: signalOf(options) };
    return (await call(this.#deps, rows.operation, asked)).body;
  }

  /** Waits until it is done, without end. */
  async wait(id: string, options: Listening = {}): Promise<Operation> {
    const asked = { operation: `wait for operation ${id}`, params: { id }, signal: signalOf(options) };
    return (await call(this.#deps, rows.waitOperation, asked)).body;
  }
}
