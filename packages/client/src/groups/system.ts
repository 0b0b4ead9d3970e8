import { type EventMessage, systemEndpoints as rows, type SystemInfo, type VersionInfo } from '@fairlead/protocol';
import { call, callStream } from '../call.ts';
import { type EventFeedItem, type EventOptions, followEvents } from '../streams/event-feed.ts';
import { jsonFeed } from '../streams/json-feed.ts';
import { type ClientDeps, type Listening, signalOf } from './group.ts';

/** The engine itself. */
export class SystemGroup {
  readonly #deps: ClientDeps;

  constructor(deps: ClientDeps) {
    this.#deps = deps;
  }

  /** Resolves when the engine answers. */
  async ping(options: Listening = {}): Promise<void> {
    await call(this.#deps, rows.ping, { operation: 'ping', signal: signalOf(options) });
  }

  async version(options: Listening = {}): Promise<VersionInfo> {
    return (await call(this.#deps, rows.version, { operation: 'version', signal: signalOf(options) })).body;
  }

  async info(options: Listening = {}): Promise<SystemInfo> {
    return (await call(this.#deps, rows.info, { operation: 'info', signal: signalOf(options) })).body;
  }

  /** What happens, as it happens. Breaking off the iteration frees the connection. @throws as `followEvents`. */
  events(options: EventOptions = {}): AsyncGenerator<EventFeedItem, void, undefined> {
    const deps = this.#deps;
    const { until, filters } = options;
    return followEvents(async function* open(since, signal): AsyncGenerator<EventMessage, void, undefined> {
      const asked = { operation: 'events', query: { since, until, filters }, signal };
      yield* jsonFeed<EventMessage>(await callStream(deps, rows.events, asked), asked);
    }, options);
  }
}
