const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;
const MONTH_MS = 30 * DAY_MS;
const YEAR_MS = 365 * DAY_MS;

/** `About a minute`, `3 hours`; the steps of Docker's tables. Source: docker/go-units duration.go, HumanDuration. */
export function humanDuration(ms: number): string {
  if (ms < SECOND_MS) return 'Less than a second';
  if (ms < 2 * SECOND_MS) return '1 second';
  if (ms < MINUTE_MS) return `${Math.floor(ms / SECOND_MS)} seconds`;
  if (ms < 2 * MINUTE_MS) return 'About a minute';
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} minutes`;
  if (Math.round(ms / HOUR_MS) === 1) return 'About an hour';
  if (ms < 2 * DAY_MS) return `${Math.round(ms / HOUR_MS)} hours`;
  if (ms < 2 * WEEK_MS) return `${Math.floor(ms / DAY_MS)} days`;
  if (ms < 2 * MONTH_MS) return `${Math.floor(ms / WEEK_MS)} weeks`;
  if (ms < 2 * YEAR_MS) return `${Math.floor(ms / MONTH_MS)} months`;
  return `${Math.floor(ms / YEAR_MS)} years`;
}

const DECIMAL_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'] as const;

/** `1.99MB`: powers of 1000, `digits` significant ones. Source: docker/go-units size.go, HumanSizeWithPrecision. */
export function humanSize(bytes: number, digits: number = 3): string {
  let [size, unit] = [bytes, 0];
  while (size >= 1000 && unit < DECIMAL_UNITS.length - 1) [size, unit] = [size / 1000, unit + 1];
  return `${Number(size.toPrecision(digits))}${DECIMAL_UNITS[unit] ?? ''}`;
}

const BINARY_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** `15.61GiB`: powers of 1024, four significant digits. Source: docker/go-units size.go, BytesSize. */
export function binarySize(bytes: number): string {
  let [size, unit] = [bytes, 0];
  while (size >= 1024 && unit < BINARY_UNITS.length - 1) [size, unit] = [size / 1024, unit + 1];
  return `${Number(size.toPrecision(4))}${BINARY_UNITS[unit] ?? ''}`;
}

const RAM_SUFFIXES: Readonly<Record<string, number>> = {
  '': 1, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40, p: 2 ** 50,
};

/**
 * Reads `512m`, `1.5g`, `64MiB` as bytes; the letters are powers of 1024 here.
 *
 * @throws Error in the words of docker/go-units size.go, RAMInBytes.
 */
export function parseRamBytes(typed: string): number {
  const match = /^(\d+(?:\.\d+)?) ?(.*)$/.exec(typed);
  if (match === null) throw new Error(`invalid size: '${typed}'`);
  const [, digits = '', suffix = ''] = match;
  const factor = RAM_SUFFIXES[suffix.toLowerCase().replace(/^([kmgtp])i?b$/, '$1')];
  if (factor === undefined) throw new Error(`invalid suffix: '${suffix}'`);
  return Math.trunc(Number(digits) * factor);
}

/** `2026-11-22 10:43:25 +0000 UTC`, as Go prints a time. */
export function goTime(at: Date): string {
  return `${at.toISOString().slice(0, 19).replace('T', ' ')} +0000 UTC`;
}

/** `20.0 s`, for the operation table. */
export function secondsText(ms: number): string {
  return `${(ms / SECOND_MS).toFixed(1)} s`;
}

/** At most `width` characters; what is cut ends in `…`. Source: docker/cli formatter.Ellipsis. */
export function ellipsis(whole: string, width: number): string {
  const letters = [...whole];
  return letters.length <= width ? whole : `${letters.slice(0, width - 1).join('')}…`;
}
