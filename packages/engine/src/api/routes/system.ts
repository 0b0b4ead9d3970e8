import { NO_FILTERS, systemEndpoints, versionAtLeast } from '@fairlead/protocol';
import { eventMessage } from '../../core/events/event-message.ts';
import type { EventFeed } from '../../core/events/feed.ts';
import { systemInfo } from '../../core/system/info.ts';
import type { SystemCounts, SystemFacts } from '../../core/system/system-facts.ts';
import { versionInfo } from '../../core/system/version.ts';
import { route, type Call, type Route } from '../route.ts';

export interface SystemRoutesDeps {
  /** Found out when somebody asks first. */
  readonly facts: () => Promise<SystemFacts>;
  /** Counted anew on every call. */
  readonly counts: () => SystemCounts;
  readonly events: Pick<EventFeed, 'subscribe'>;
}

/** Ping, version, info and events. Source: engine-api 1.3–1.5, 8.2. */
export function systemRoutes(deps: SystemRoutesDeps): readonly Route[] {
  return [
    route(systemEndpoints.ping, async (call) => {
      sayWhoPings(call);
      return { kind: 'text', text: 'OK' };
    }),
    route(systemEndpoints.pingHead, async (call) => {
      sayWhoPings(call);
      call.setHeader('Content-Type', 'text/plain; charset=utf-8');
      return { kind: 'empty' };
    }),
    route(systemEndpoints.version, async () => ({ kind: 'json', body: versionInfo(await deps.facts()) })),
    route(systemEndpoints.info, async ({ apiVersion }) => {
      // What older clients ask for. Source: moby v28 getInfo.
      const older = versionAtLeast(apiVersion, '1.25') ? {} : { ExecutionDriver: '<not supported>' };
      return { kind: 'json', body: { ...systemInfo(await deps.facts(), deps.counts()), ...older } };
    }),
    route(systemEndpoints.events, async ({ query, hangup }) => {
      const { since, until, filters = NO_FILTERS } = query;
      const events = deps.events.subscribe({ since, until, filters }, hangup);
      return { kind: 'json-stream', items: messages(events) };
    }),
  ];
}

/** There is no BuildKit: version 1 makes the CLI use its classic builder. */
function sayWhoPings(call: Pick<Call, 'setHeader'>): void {
  call.setHeader('Builder-Version', '1');
  call.setHeader('Cache-Control', 'no-cache, no-store, must-revalidate');
  call.setHeader('Pragma', 'no-cache');
  call.setHeader('Swarm', 'inactive');
}

async function* messages(events: ReturnType<EventFeed['subscribe']>): AsyncGenerator<ReturnType<typeof eventMessage>> {
  for await (const event of events) yield eventMessage(event);
}
