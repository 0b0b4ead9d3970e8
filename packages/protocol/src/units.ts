import { EngineError } from './errors.ts';

/**
 * Bytes for people in steps of 1000, as Docker's lists have them: `1.98MB`. Source: go-units, HumanSizeWithPrecision (`%.*g`).
 *
 * `precision` is the number of significant digits: 3 in lists of images, 4 in progress.
 */
export function humanSize(bytes: number, precision: 3 | 4 = 3): string {
  return scaled(bytes, { step: 1000, units: DECIMAL_UNITS, precision });
}

/** Bytes for people in steps of 1024: `64MiB`. Source: go-units, BytesSize. */
export function humanMemory(bytes: number): string {
  return scaled(bytes, { step: 1024, units: BINARY_UNITS, precision: 4 });
}

/**
 * Reads a memory size in steps of 1024: `64m`, `1.5g`, `512`, `64MiB`, `64 mb`. Source: go-units, RAMInBytes.
 *
 * @throws EngineError 'invalid-argument' `invalid size: 'X'` or `invalid suffix: 'X'`.
 */
export function parseMemory(text: string): number {
  return parseSize(text, 1024);
}

/** Reads a size in steps of 1000: `10MB`, `10m`. Source: go-units, FromHumanSize. @throws EngineError, as `parseMemory`. */
export function parseHumanSize(text: string): number {
  return parseSize(text, 1000);
}

const DECIMAL_UNITS: readonly string[] = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB'];
const BINARY_UNITS: readonly string[] = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB', 'ZiB', 'YiB'];
const SUFFIXES = 'bkmgtp';

function scaled(
  bytes: number,
  scale: { readonly step: number; readonly units: readonly string[]; readonly precision: number },
): string {
  let value = bytes;
  let unit = 0;
  while (value >= scale.step && unit < scale.units.length - 1) {
    value /= scale.step;
    unit += 1;
  }
  return `${general(value, scale.precision)}${scale.units[unit] ?? ''}`;
}

/** C's `%.*g`: significant digits without trailing zeros, with an exponent when the value has more digits before the point. */
function general(value: number, precision: number): string {
  const text = value.toPrecision(precision);
  const [digits, exponent] = text.split('e');
  const short = digits?.includes('.') === true ? digits.replace(/\.?0+$/, '') : (digits ?? '');
  return exponent === undefined ? short : `${short}e${exponent.replace(/^([+-])([0-9])$/, '$10$2')}`;
}

function parseSize(text: string, step: number): number {
  const match = /^([0-9]+(?:\.[0-9]+)?|\.[0-9]+) ?([a-z]*)$/.exec(text.toLowerCase());
  if (match === null) throw new EngineError('invalid-argument', `invalid size: '${text}'`);
  const suffix = match[2] ?? '';
  const power = suffix === '' ? 0 : SUFFIXES.indexOf(suffix.charAt(0));
  const rest = suffix.slice(1);
  const isSuffix = power >= 0 && (rest === '' || (power > 0 && (rest === 'b' || rest === 'ib')));
  if (!isSuffix) throw new EngineError('invalid-argument', `invalid suffix: '${suffix}'`);
  return Math.trunc(Number(match[1]) * step ** power);
}
