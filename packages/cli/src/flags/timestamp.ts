import { NANOS_PER_MS, NANOS_PER_SECOND, parseGoDuration, parseTimestamp, type UnixNanos } from '@fairlead/protocol';

/**
 * Reads `--since` and `--until`: RFC 3339 in full or cut short, unix seconds with or without a fraction, or a duration
 * back from now (`10m`). @throws EngineError in the words of Go's time.ParseDuration when it is none.
 */
export function parseMoment(typed: string, now: Date): UnixNanos {
  const unix = /^(\d+)(?:\.(\d{1,9}))?$/.exec(typed);
  if (unix !== null) return BigInt(unix[1] ?? '0') * NANOS_PER_SECOND + BigInt((unix[2] ?? '').padEnd(9, '0'));
  const exact = parseTimestamp(typed);
  if (exact !== undefined) return exact;
  // Docker reads a time without a zone as local time. Source: moby api/types/time/timestamp.go.
  if (/^\d{4}-\d\d-\d\d(T\d\d(:\d\d(:\d\d(\.\d+)?)?)?)?$/.test(typed)) return localMoment(typed);
  return (BigInt(now.getTime()) - BigInt(Math.round(parseGoDuration(typed)))) * NANOS_PER_MS;
}

function localMoment(typed: string): UnixNanos {
  const [date = '', time = '00'] = typed.split('T');
  const [hours = '00', minutes = '00', seconds = '00'] = time.split(':');
  return BigInt(Date.parse(`${date}T${hours}:${minutes}:${seconds}`)) * NANOS_PER_MS;
}
