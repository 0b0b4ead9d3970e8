/** Nanoseconds since 1970-01-01T00:00:00Z: Docker's times are finer than a Date. */
export type UnixNanos = bigint;

/** A second in nanoseconds. */
export const NANOS_PER_SECOND: bigint = 1_000_000_000n;
/** A millisecond in nanoseconds. */
export const NANOS_PER_MS: bigint = 1_000_000n;

/** What Docker prints for a time that has not come yet. Source: Go's zero time.Time. */
export const ZERO_TIME = '0001-01-01T00:00:00Z';

/** Milliseconds are exact; finer digits are zero. */
export function nanosFromDate(date: Date): UnixNanos {
  return BigInt(date.getTime()) * NANOS_PER_MS;
}

/** Rounds down to the millisecond. */
export function dateFromNanos(nanos: UnixNanos): Date {
  const ms = nanos / NANOS_PER_MS;
  return new Date(Number(nanos < 0n && nanos % NANOS_PER_MS !== 0n ? ms - 1n : ms));
}

/** UTC, RFC 3339 with up to nine digits and no trailing zeros, as Go's RFC3339Nano prints it. */
export function formatTimestamp(nanos: UnixNanos): string {
  const [seconds, fraction] = splitSeconds(nanos);
  const digits = fraction.toString().padStart(9, '0').replace(/0+$/, '');
  return `${secondsText(seconds)}${digits === '' ? '' : `.${digits}`}Z`;
}

/** As `formatTimestamp`, but always with nine digits: the prefix of log lines with `timestamps=1`. */
export function formatLogTimestamp(nanos: UnixNanos): string {
  const [seconds, fraction] = splitSeconds(nanos);
  return `${secondsText(seconds)}.${fraction.toString().padStart(9, '0')}Z`;
}

/** `formatTimestamp` of a Date; `ZERO_TIME` for undefined. */
export function formatDate(date: Date | undefined): string {
  return date === undefined ? ZERO_TIME : formatTimestamp(nanosFromDate(date));
}

/** Reads RFC 3339 with any number of fraction digits; undefined when it is none. Digits beyond the ninth are cut. */
export function parseTimestamp(text: string): UnixNanos | undefined {
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const ms = Date.parse(`${match[1]}${match[3]}`);
  if (Number.isNaN(ms)) return undefined;
  return BigInt(ms) * NANOS_PER_MS + BigInt((match[2] ?? '').slice(0, 9).padEnd(9, '0'));
}

const RFC3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/;

function splitSeconds(nanos: UnixNanos): readonly [bigint, bigint] {
  const fraction = ((nanos % NANOS_PER_SECOND) + NANOS_PER_SECOND) % NANOS_PER_SECOND;
  return [(nanos - fraction) / NANOS_PER_SECOND, fraction];
}

function secondsText(seconds: bigint): string {
  return new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
}
