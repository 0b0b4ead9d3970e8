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
import { call, type CallDeps, callStream } from '../call.ts';
import { NotFoundError } from '../errors.ts';
import { type EventFeedItem, type OpenItem, openEvents } from '../streams/event-feed.ts';
import { jsonFeed } from '../streams/json-feed.ts';
import { settledWithin } from '../settled-within.ts';
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

/** What happens to one container, from the moment the feed is open. */
export function containerEvents(
  deps: ClientDeps,
  watched: { readonly ref: ContainerRef; readonly reconnect: boolean },
  signal: AbortSignal,
): AsyncGenerator<EventFeedItem | OpenItem, void, undefined> {
  const { ref, reconnect } = watched;
  const filters = new Map([
    ['type', ['container']],
    ['container', [ref]],
  ]);
  return openEvents((since, waiting) => askEvents(deps, { since, filters }, waiting), { reconnect, signal });
}

/** What a container looks like, or that it is gone. */
export type ContainerView = ContainerInspect | 'removed';

/** Verbs of events that come with every exec and probe, and change nothing that is looked at here. */
const IRRELEVANT = /^(exec_|top|resize|attach|archive-|export|copy)/;

/**
 * Podman says that it listens only with the first event, and tells nobody of an end that it did not see: with it the container is
 * looked at now and then as well. Doubles up to the maximum.
 */
const LOOK_MS_MIN = 500;
const LOOK_MS_MAX = 5_000;

/**
 * Shows a container as it is, and again after every event about it, until it is removed. Nothing is asked in between, except
 * of Podman.
 *
 * `ref` should be an id: a name may be given to another container meanwhile.
 * @throws NotFoundError when it is not there to begin with; the signal's reason.
 */
export async function* watchContainer(
  deps: ClientDeps,
  ref: ContainerRef,
  signal: AbortSignal,
): AsyncGenerator<ContainerView, void, undefined> {
  const leaving = new AbortController();
  const either = AbortSignal.any([signal, leaving.signal]);
  try {
    let mustExist = true;
    const events = containerEvents(deps, { ref, reconnect: true }, either);
    for await (const item of orSilence(deps, events, either)) {
      if (item?.kind === 'event' && IRRELEVANT.test(item.event.Action)) continue;
      const view = mustExist ? await inspectContainer(deps, ref, signal) : await viewContainer(deps, ref, signal);
      // The engine went away in between: when it is back, the feed tells of a gap.
      if (view === 'unavailable') continue;
      mustExist = false;
      yield view;
      if (view === 'removed') return;
    }
  } finally {
    leaving.abort();
  }
}

/** What comes, and with Podman undefined as well when nothing has come for a while. Whoever leaves has to abort what the items come from. */
export async function* orSilence<T>(
  deps: ClientDeps,
  items: AsyncGenerator<T, void, undefined>,
  signal: AbortSignal,
): AsyncGenerator<T | undefined, void, undefined> {
  const { isPodman } = await deps.negotiation.traits(signal);
  const ask = (): ReturnType<typeof items.next> => {
    const asked = items.next();
    // Whoever leaves in the middle does not hear how it ends.
    asked.catch(() => {});
    return asked;
  };
  let next = ask();
  for (let pauseMs = LOOK_MS_MIN; ; pauseMs = Math.min(pauseMs * 2, LOOK_MS_MAX)) {
    const item = isPodman ? await settledWithin(next, pauseMs, signal) : await next;
    if (item?.done === true) return;
    if (item !== undefined) next = ask();
    yield item?.value;
  }
}

/** A container that was there before: as it is, or gone, or not to be looked at because the engine is away. */
export async function viewContainer(
  deps: CallDeps,
  ref: ContainerRef,
  signal: AbortSignal,
): Promise<ContainerView | 'unavailable'> {
  try {
    return await inspectContainer(deps, ref, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    if (error instanceof NotFoundError) return 'removed';
    if (isEngineError(error) && error.kind === 'unavailable') return 'unavailable';
    throw error;
  }
}

/** A container as it is. @throws NotFoundError, and what every call throws. */
export async function inspectContainer(
  deps: CallDeps,
  ref: ContainerRef,
  signal: AbortSignal,
): Promise<ContainerInspect> {
  const asked = { operation: `inspect ${ref}`, params: { id: ref }, signal };
  return (await call(deps, containerEndpoints.inspect, asked)).body;
}
