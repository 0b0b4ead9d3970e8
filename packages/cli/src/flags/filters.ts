import type { Filters } from '@fairlead/protocol';
import { ExitError, EXIT_USAGE } from '../exit-codes.ts';

/** `--filter name=web --filter label=a=b`. @throws ExitError in the words of docker/cli opts. */
export function parseFilterFlags(typed: readonly string[]): Filters {
  const filters = new Map<string, readonly string[]>();
  for (const entry of typed) {
    const at = entry.indexOf('=');
    if (at === -1) {
      throw new ExitError(EXIT_USAGE, `invalid argument "${entry}" for "-f, --filter" flag: invalid filter '${entry}'`);
    }
    const key = entry.slice(0, at).trim().toLowerCase();
    filters.set(key, [...(filters.get(key) ?? []), entry.slice(at + 1).trim()]);
  }
  return filters;
}
