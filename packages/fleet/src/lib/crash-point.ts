import { EngineError } from '@fairlead/protocol';

/** Places at which a test ends the program: each is passed by name, every time the program comes by. */
export interface CrashPoints {
  pass(place: string): void;
}

/** Nothing ever happens. */
export const noCrashPoints: CrashPoints = { pass() {} };

const PLAN = /^([a-z]+:[A-Za-z-]+)(?:\*([1-9]\d{0,4}))?$/;

/**
 * Reads `PLACE` or `PLACE*N`: at the N-th passing of that place `crash` is called. Undefined or empty: never.
 *
 * @throws EngineError 'invalid-argument' that names what it did not understand.
 */
export function parseCrashPoint(text: string | undefined, crash: () => void): CrashPoints {
  if (text === undefined || text === '') return noCrashPoints;
  const [, place, count = '1'] = PLAN.exec(text) ?? [];
  if (place === undefined) throw new EngineError('invalid-argument', `not a crash point: ${JSON.stringify(text)}`);
  let left = Number(count);
  return {
    pass(passed) {
      if (passed !== place) return;
      left -= 1;
      if (left === 0) crash();
    },
  };
}

/** `FAIRLEAD_AGENT_CRASH`: a kill -9 of oneself, for tests. */
export function crashingPoints(env: Readonly<Record<string, string | undefined>>): CrashPoints {
  return parseCrashPoint(env['FAIRLEAD_AGENT_CRASH'], () => process.kill(process.pid, 'SIGKILL'));
}
