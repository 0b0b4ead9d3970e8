import {
  assertFilterKeys,
  dateFromNanos,
  EngineError,
  matchesLabels,
  parseGoDuration,
  parseTimestamp,
  type Filters,
} from '@fairlead/protocol';

/** Which of the things that nobody uses are to go. */
export interface PruneFilter {
  /** Whether something made then, with these labels, may go. */
  readonly accepts: (thing: PrunedThing) => boolean;
}

/** What the filters look at. */
export interface PrunedThing {
  readonly createdAt: Date | undefined;
  readonly labels: Readonly<Record<string, string>> | null | undefined;
}

/**
 * Reads `until`, `label` and `label!`.
 *
 * @param known the keys that are allowed.
 * @throws EngineError 'invalid-argument' for other keys, for a moment that is none, for several. Source: moby v28 daemon/prune.go.
 */
export function pruneFilter(
  filters: Filters,
  options: { readonly known: readonly string[]; readonly now: Date },
): PruneFilter {
  assertFilterKeys(filters, options.known);
  const until = untilOf(filters, options.now);
  const excluded = filters.get('label!');
  return {
    accepts({ createdAt, labels }) {
      if (until !== undefined && (createdAt === undefined || createdAt > until)) return false;
      if (excluded !== undefined && matchesLabels(excluded, labels)) return false;
      return matchesLabels(filters.get('label'), labels);
    },
  };
}

function untilOf(filters: Filters, now: Date): Date | undefined {
  const [text, ...others] = filters.get('until') ?? [];
  if (others.length > 0) throw new EngineError('invalid-argument', 'more than one until filter specified');
  return text === undefined ? undefined : momentOf(text, now);
}

/** A duration before now, unix seconds, or RFC 3339, perhaps without zone or time. Source: moby api/types/time/timestamp.go. */
function momentOf(text: string, now: Date): Date {
  if (/^\d+(\.\d+)?$/.test(text)) return new Date(Number(text) * 1000);
  const nanos = parseTimestamp(text) ?? parseTimestamp(`${text}Z`) ?? parseTimestamp(`${text}T00:00:00Z`);
  if (nanos !== undefined) return dateFromNanos(nanos);
  try {
    return new Date(now.getTime() - parseGoDuration(text));
  } catch (cause) {
    const words = `failed to parse value as time or duration: ${JSON.stringify(text)}`;
    throw new EngineError('invalid-argument', words, { cause });
  }
}
