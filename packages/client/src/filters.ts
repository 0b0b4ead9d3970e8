import type { Filters } from '@fairlead/protocol';

/**
 * Filters for lists, prunes and events, written as an object: `filters({ label: 'a=b', status: ['exited', 'dead'] })`. All keys must match,
 * of one key's values any.
 */
export function filters(wanted: Readonly<Record<string, string | readonly string[]>>): Filters {
  const lists = Object.entries(wanted).map(
    ([key, value]) => [key, typeof value === 'string' ? [value] : value] as const,
  );
  return new Map(lists.filter(([, values]) => values.length > 0));
}
