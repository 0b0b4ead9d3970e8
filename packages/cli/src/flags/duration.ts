import { parseGoDuration } from '@fairlead/protocol';

/** `40s`, `1m30s`, or bare seconds: `40`. In milliseconds. @throws EngineError in the words of Go's time.ParseDuration. */
export function parseDurationMs(typed: string): number {
  return /^\d+(\.\d+)?$/.test(typed) ? Number(typed) * 1000 : parseGoDuration(typed);
}

/** Docker's `--time`: whole seconds, negative for no end. In milliseconds. */
export function graceMsOf(seconds: number | undefined): number | undefined {
  if (seconds === undefined) return undefined;
  return seconds < 0 ? Infinity : seconds * 1000;
}
