import { EngineError } from './errors.ts';

/** Linux has 64 signals. Source: signal(7), SIGRTMAX. */
export const SIGNAL_MAX = 64;

// In order of their numbers, from 1. Synonyms (CLD, IOT, POLL) are added behind, so that the first name wins when naming.
const NAMES =
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS';
const RTMIN = 34;
const RTMIN_OFFSET_MAX = 15;
const RTMAX_OFFSET_MAX = 14;

/** Numbers of Linux's named signals on x86 and ARM, without `SIG`. Source: signal(7). */
export const SIGNAL_NUMBERS: ReadonlyMap<string, number> = signalTable();

const PREFERRED_NAMES: ReadonlyMap<number, string> = preferredNames();

/** What Docker sends when nobody says otherwise. */
export const DEFAULT_STOP_SIGNAL = 'SIGTERM';

/**
 * Reads a signal's number: a name in any case with or without `SIG`, `RTMIN`, `RTMIN+n` (n ≤ 15), `RTMAX-n` (n ≤ 14), or digits.
 *
 * A number that Linux does not have passes, as in Docker; `assertSupportedSignal` refuses it.
 * @throws EngineError 'invalid-argument' `invalid signal: X`.
 */
export function parseSignal(text: string): number {
  if (/^[+-]?[0-9]+$/.test(text)) {
    const number = Number(text);
    if (number !== 0 && Number.isSafeInteger(number)) return number;
  }
  const number = SIGNAL_NUMBERS.get(text.toUpperCase().replace(/^SIG/, ''));
  if (number === undefined) throw new EngineError('invalid-argument', `invalid signal: ${text}`);
  return number;
}

/** @throws EngineError 'invalid-argument' when Linux has no such signal. */
export function assertSupportedSignal(number: number): void {
  if (number >= 1 && number <= SIGNAL_MAX) return;
  throw new EngineError('invalid-argument', `the linux daemon does not support signal ${number}`);
}

/** `SIGTERM` for 15, `SIGRTMIN+3` for 37, the number itself when it has no name. */
export function signalNameOf(number: number): string {
  const name = PREFERRED_NAMES.get(number);
  return name === undefined ? number.toString() : `SIG${name}`;
}

/** 128 + number: the exit code of a process that a signal ended. */
export function exitCodeOfSignal(number: number): number {
  return 128 + number;
}

// @__NO_SIDE_EFFECTS__
function signalTable(): ReadonlyMap<string, number> {
  const table = new Map<string, number>();
  NAMES.split(' ').forEach((name, index) => table.set(name, index + 1));
  table.set('RTMIN', RTMIN);
  for (let n = 1; n <= RTMIN_OFFSET_MAX; n += 1) table.set(`RTMIN+${n}`, RTMIN + n);
  for (let n = RTMAX_OFFSET_MAX; n >= 1; n -= 1) table.set(`RTMAX-${n}`, SIGNAL_MAX - n);
  return table.set('RTMAX', SIGNAL_MAX).set('CLD', 17).set('IOT', 6).set('POLL', 29);
}

// @__NO_SIDE_EFFECTS__
function preferredNames(): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  for (const [name, number] of SIGNAL_NUMBERS) if (!names.has(number)) names.set(number, name);
  return names;
}
