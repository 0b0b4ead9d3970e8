import { EngineError } from './errors.ts';

/**
 * Reads a Go duration, `1h2m3.5s` or `300ms`, as milliseconds; a bare number is refused, except 0.
 *
 * @throws EngineError 'invalid-argument' in the words of Go's time.ParseDuration.
 */
export function parseGoDuration(text: string): number {
  const match = /^([+-]?)(.*)$/s.exec(text);
  const body = match?.[2] ?? '';
  if (body === '0') return 0;
  if (body === '') throw new EngineError('invalid-argument', `time: invalid duration ${JSON.stringify(text)}`);
  let ms = 0;
  let at = 0;
  while (at < body.length) {
    TERM.lastIndex = at;
    const term = TERM.exec(body);
    if (term === null) throw new EngineError('invalid-argument', `time: invalid duration ${JSON.stringify(text)}`);
    const unit = term[2] ?? '';
    const unitMs = UNIT_MS.get(unit);
    if (unitMs === undefined) {
      const problem = unit === '' ? 'missing unit' : `unknown unit ${JSON.stringify(unit)}`;
      throw new EngineError('invalid-argument', `time: ${problem} in duration ${JSON.stringify(text)}`);
    }
    ms += Number(term[1]) * unitMs;
    at = TERM.lastIndex;
  }
  return match?.[1] === '-' ? -ms : ms;
}

/** As Go prints a duration: `1h2m3.5s`, `300ms`, `0s`. */
export function formatGoDuration(ms: number): string {
  if (ms === 0) return '0s';
  const sign = ms < 0 ? '-' : '';
  const abs = Math.abs(ms);
  if (abs < 0.001) return `${sign}${decimal(abs * 1_000_000)}ns`;
  if (abs < 1) return `${sign}${decimal(abs * 1000)}µs`;
  if (abs < 1000) return `${sign}${decimal(abs)}ms`;
  const hours = Math.floor(abs / 3_600_000);
  const minutes = Math.floor((abs % 3_600_000) / 60_000);
  const seconds = `${decimal((abs % 60_000) / 1000)}s`;
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${sign}${minutes}m${seconds}` : `${sign}${seconds}`;
}

/** For people, as `docker ps` has it: `Less than a second`, `5 minutes`, `About an hour`. Source: go-units, HumanDuration. */
export function humanDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 1) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.floor(seconds / 60);
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.round(ms / 3_600_000);
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.floor(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.floor(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.floor(hours / 24 / 30)} months`;
  return `${Math.floor(ms / 3_600_000 / 24 / 365)} years`;
}

const TERM = /([0-9]+(?:\.[0-9]*)?|\.[0-9]+)([^0-9.]*)/y;
const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ['ns', 0.000_001],
  ['us', 0.001],
  ['µs', 0.001],
  ['μs', 0.001],
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
]);

function decimal(value: number): string {
  return Number(value.toFixed(9)).toString();
}
