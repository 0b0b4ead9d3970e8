import { EngineError } from '../errors.ts';
import { encodeFilters, parseFilters, type Filters } from '../filters.ts';
import { parseSignal } from '../signals.ts';
import { NANOS_PER_SECOND, type UnixNanos } from '../timestamp.ts';
import type { ApiVersion } from '../version.ts';

const ATOI = /^[+-]?[0-9]+$/;
const FALSE_WORDS: ReadonlySet<string> = new Set(['', '0', 'no', 'false', 'none']);
const UINT32_MAX = 0xffff_ffff;

/** How one query parameter is written and read. */
export interface Scalar<T> {
  /**
   * Reads every value that the key had, in order; there is at least one.
   *
   * @returns undefined when the text means "not given".
   * @throws EngineError 'invalid-argument' in Docker's words.
   */
  decode(texts: readonly string[], key: string): T | undefined;
  /** The values to send; none when the value means "not given". */
  encode(value: T): readonly string[];
  /** What a request without the key means, when that is not "not given". */
  readonly absent?: T;
  /** The key is ignored in requests of an older version, and not sent to older engines. */
  readonly since?: ApiVersion;
}

/** Text; empty means not given. */
export const text: Scalar<string> = {
  decode: (texts) => first(texts) || undefined,
  encode: (value) => (value === '' ? [] : [value]),
};

/** Every value of a key that may be repeated. */
export const list: Scalar<readonly string[]> = { decode: (texts) => texts, encode: (value) => value };

/** False iff one of `""`, `0`, `no`, `false`, `none`, trimmed and in any case; everything else is true. */
export const bool: Scalar<boolean> = {
  decode: (texts) => !FALSE_WORDS.has(first(texts).trim().toLowerCase()),
  encode: (value) => [value ? '1' : '0'],
};

/** As `bool`, but true when the key is absent. */
export const boolDefaultTrue: Scalar<boolean> = orAbsent(bool, true);

/** Go's Atoi: an optional sign and digits. Empty means not given. Beyond 2^53 it is refused, as Go does beyond 2^63. */
export const int: Scalar<number> = {
  decode: (texts) => (first(texts) === '' ? undefined : atoi(first(texts))),
  encode: (value) => [value.toString()],
};

/**
 * Whole seconds on the wire, milliseconds inside; negative on the wire is Infinity inside: wait without end.
 *
 * A part of a second is rounded up when written, so that a grace is never cut short.
 */
export const seconds: Scalar<number> = {
  decode: (texts) => {
    const value = int.decode(texts, '');
    if (value === undefined) return undefined;
    return value < 0 ? Infinity : value * 1000;
  },
  encode: (ms) => [ms === Infinity ? '-1' : Math.ceil(ms / 1000).toString()],
};

/** A terminal's height or width: 32 bits without sign. Required by Docker: an empty text is refused. */
export const terminalHeight: Scalar<number> = terminalDimension('height');

/** As `terminalHeight`. */
export const terminalWidth: Scalar<number> = terminalDimension('width');

/** `{"key":["value"]}` or `{"key":{"value":true}}` as JSON. */
export const filters: Scalar<Filters> = {
  decode: (texts) => parseFilters(first(texts)),
  encode: (value) => (value.size === 0 ? [] : [encodeFilters(value)]),
};

/** Unix seconds with an optional fraction, as nanoseconds. Empty means not given. RFC 3339 is refused, as by Docker. */
export const unixTime: Scalar<UnixNanos> = {
  decode: (texts) => (first(texts) === '' ? undefined : parseUnixTime(first(texts))),
  encode: (value) => {
    // The fraction counts upwards, also before 1970.
    const fraction = ((value % NANOS_PER_SECOND) + NANOS_PER_SECOND) % NANOS_PER_SECOND;
    return [`${(value - fraction) / NANOS_PER_SECOND}.${fraction.toString().padStart(9, '0')}`];
  },
};

/** A signal as a person wrote it, checked; empty means not given. Numbers beyond 64 pass: `assertSupportedSignal` refuses them. */
export const signalName: Scalar<string> = {
  decode: (texts) => {
    const name = first(texts);
    if (name === '') return undefined;
    parseSignal(name);
    return name;
  },
  encode: (value) => [value],
};

/** How many of the last lines: `all`, negative, empty or unreadable mean not given, which is everything. */
export const tail: Scalar<number> = {
  decode: (texts) => {
    const value = ATOI.test(first(texts)) ? Number(first(texts)) : -1;
    return value < 0 ? undefined : value;
  },
  encode: (value) => [value.toString()],
};

/** A JSON document; empty means not given. @throws EngineError 'invalid-argument' when it is none, or not what `is` knows. @__NO_SIDE_EFFECTS__ */
export function json<T>(is: (value: unknown) => value is T): Scalar<T> {
  return {
    decode: (texts, key) => {
      if (first(texts) === '') return undefined;
      const document = parseJsonText(first(texts));
      if (is(document)) return document;
      throw new EngineError('invalid-argument', `invalid ${key}: ${first(texts)}`);
    },
    encode: (value) => [JSON.stringify(value)],
  };
}

/** The same parameter, known since an API version. @__NO_SIDE_EFFECTS__ */
export function since<T>(version: ApiVersion, scalar: Scalar<T>): Scalar<T> {
  return { ...scalar, since: version };
}

/** @throws EngineError 'invalid-argument' in the words of Go's strconv. */
export function atoi(value: string): number {
  if (!ATOI.test(value)) {
    throw new EngineError('invalid-argument', `strconv.Atoi: parsing ${JSON.stringify(value)}: invalid syntax`);
  }
  const number = Number(value);
  if (!Number.isSafeInteger(number)) {
    throw new EngineError('invalid-argument', `strconv.Atoi: parsing ${JSON.stringify(value)}: value out of range`);
  }
  return number;
}

function first(texts: readonly string[]): string {
  return texts[0] ?? '';
}

function parseJsonText(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    // No document is like any other that is not wanted.
    return undefined;
  }
}

// @__NO_SIDE_EFFECTS__
function orAbsent<T>(scalar: Scalar<T>, absent: T): Scalar<T> {
  return { ...scalar, absent };
}

// @__NO_SIDE_EFFECTS__
function terminalDimension(name: 'height' | 'width'): Scalar<number> {
  return {
    decode: (texts) => {
      const value = first(texts);
      const problem = !/^[0-9]+$/.test(value)
        ? 'invalid syntax'
        : Number(value) > UINT32_MAX
          ? 'value out of range'
          : '';
      if (problem === '') return Number(value);
      throw new EngineError('invalid-argument', `invalid resize ${name} ${JSON.stringify(value)}: ${problem}`);
    },
    encode: (value) => [value.toString()],
  };
}

// As moby's timetypes.ParseTimestamps: the fraction counts as nanoseconds after padding to nine digits.
function parseUnixTime(value: string): UnixNanos {
  const dot = value.indexOf('.');
  const whole = dot < 0 ? value : value.slice(0, dot);
  const fraction = dot < 0 ? '0' : value.slice(dot + 1);
  for (const part of [whole, fraction]) {
    if (!ATOI.test(part)) {
      throw new EngineError('invalid-argument', `strconv.ParseInt: parsing ${JSON.stringify(part)}: invalid syntax`);
    }
    if (part.length > 20) {
      throw new EngineError(
        'invalid-argument',
        `strconv.ParseInt: parsing ${JSON.stringify(part)}: value out of range`,
      );
    }
  }
  return BigInt(whole) * NANOS_PER_SECOND + BigInt(fraction.padEnd(9, '0').slice(0, 9));
}
