import {
  type ContainerInspect,
  containerEndpoints,
  type ContainerRef,
  type EventMessage,
  type Filters,
  isEngineError,
  systemEndpoints,
  type UnixNanos,
} from '@fairlead/protocol';
import { call, callStream } from '../call.ts';
import { NotFoundError } from '../errors.ts';
import { type EventFeedItem, type OpenItem, openEvents } from '../streams/event-feed.ts';
import { jsonFeed } from '../streams/json-feed.ts';
import type { ClientDeps } from './group.ts';

/** Asks the engine for its events. Resolves when it has them open. @throws as `callStream`, then as `jsonFeed`. */
export async function askEvents(
  deps: ClientDeps,
  query: {
    readonly since?: UnixNanos | undefined;
    readonly until?: UnixNanos | undefined;
    readonly filters?: Filters | undefined;
  },
  signal: AbortSignal,
): Promise<AsyncIterable<EventMessage>> {
  const asked = { operation: 'events', query, signal };
  return jsonFeed<EventMessage>(await callStream(deps, systemEndpoints.events, asked), asked);
}

/** What happens to one container, from the moment the feed is open; goes on when the engine is started again. */
export function containerEvents(
  deps: ClientDeps,
  ref: ContainerRef,
  signal: AbortSignal,
): AsyncGenerator<EventFeedItem | OpenItem, void, undefined> {
  const filters = new Map([
    ['type', ['container']],
    ['container', [ref]],
  ]);
  return openEvents((since, waiting) => askEvents(deps, { since, filters }, waiting), { reconnect: true, signal });
}

/** What a container looks like, or that it is gone. */
export type ContainerView = ContainerInspect | 'removed';

/** Verbs of events that come with every exec and probe, and change nothing that is looked at here. */
const IRRELEVANT = /^(exec_|top|resize|attach|archive-|export|copy)/;

/**
 * Shows a container as it is, and again after every event about it, until it is removed: nothing is asked in between.
 *
 * `ref` should be an id: a name may be given to another container meanwhile.
 * @throws NotFoundError when it is not there to begin with; the signal's reason.
 */
export async function* watchContainer(
  deps: ClientDeps,
  ref: ContainerRef,
  signal: AbortSignal,
): AsyncGenerator<ContainerView, void, undefined> {
  let mustExist = true;
  for await (const item of containerEvents(deps, ref, signal)) {
    if (item.kind === 'event' && IRRELEVANT.test(item.event.Action)) continue;
    const view = await look(deps, ref, { signal, mustExist });
    // The engine went away in between: when it is back, the feed tells of a gap.
    if (view === 'unavailable') continue;
    mustExist = false;
    yield view;
    if (view === 'removed') return;
  }
}

async function look(
  deps: ClientDeps,
  ref: ContainerRef,
  { signal, mustExist }: { readonly signal: AbortSignal; readonly mustExist: boolean },
): Promise<ContainerView | 'unavailable'> {
  try {
    const asked = { operation: `inspect ${ref}`, params: { id: ref }, signal };
    return (await call(deps, containerEndpoints.inspect, asked)).body;
  } catch (error) {
    if (mustExist || signal.aborted) throw error;
    if (error instanceof NotFoundError) return 'removed';
    if (isEngineError(error) && error.kind === 'unavailable') return 'unavailable';
    throw error;
  }
}
