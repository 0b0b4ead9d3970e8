import { matchesLabels, type Filters } from '@fairlead/protocol';
import type { EngineEvent } from './event.ts';

/** Event actions that carry a value behind a colon and are asked for without it. Source: engine-api 8.2. */
const PREFIX_ACTIONS: ReadonlySet<string> = new Set(['exec_create', 'exec_start', 'health_status']);

/** Keys join with AND, values of one key with OR; unknown keys are ignored. Source: engine-api 8.2. */
export function matchesFilters(event: EngineEvent, filters: Filters): boolean {
  for (const [key, values] of filters) {
    if (!matchesKey(event, key, values)) return false;
  }
  return true;
}

function matchesKey(event: EngineEvent, key: string, values: readonly string[]): boolean {
  switch (key) {
    case 'type':
      return values.includes(event.type);
    case 'event':
      return values.some((value) => matchesAction(event.action, value));
    case 'container':
      return values.some((value) => matchesContainer(event, value));
    case 'image':
      return values.some((value) => matchesImage(event, value));
    case 'network':
    case 'volume':
    case 'daemon':
      return event.type === key && values.some((value) => matchesActor(event, value));
    case 'label':
      return matchesLabels(values, event.attributes);
    case 'scope':
      return values.includes('local');
    default:
      return true;
  }
}

function matchesAction(action: string, wanted: string): boolean {
  if (action === wanted) return true;
  return PREFIX_ACTIONS.has(wanted) && action.startsWith(`${wanted}:`);
}

function matchesContainer(event: EngineEvent, wanted: string): boolean {
  if (event.type !== 'container') return false;
  return matchesActor(event, wanted);
}

function matchesActor(event: EngineEvent, wanted: string): boolean {
  return event.actorId.startsWith(wanted) || (event.attributes['name'] ?? '').startsWith(wanted);
}

function matchesImage(event: EngineEvent, wanted: string): boolean {
  const name = event.type === 'image' ? (event.attributes['name'] ?? '') : (event.attributes['image'] ?? '');
  const matches = name === wanted || withoutTag(name) === wanted;
  return matches || (event.type === 'image' && event.actorId === wanted);
}

function withoutTag(name: string): string {
  const colon = name.lastIndexOf(':');
  return colon > name.lastIndexOf('/') ? name.slice(0, colon) : name;
}
