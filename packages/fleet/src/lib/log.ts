/** Facts of one event. Durations end in `Ms`, sizes in `Bytes`. */
export type FleetLogFields = Readonly<Record<string, unknown>>;

/**
 * Where hub and agent say what happened: a fixed name per event (`room.thing.happened`) with fields, never a sentence.
 *
 * Logging never throws and never waits.
 */
export interface FleetLog {
  /** What an operator wants to read. */
  event(name: string, fields?: FleetLogFields): void;
  /** Something is worse than it should be, and the program goes on. */
  warning(name: string, fields?: FleetLogFields): void;
  /** A failure of the program's own, or of the machine under it. */
  failure(name: string, error: unknown, fields?: FleetLogFields): void;
}

/** Forgets everything. */
export const silentFleetLog: FleetLog = { event() {}, warning() {}, failure() {} };

/** One line of JSON per event, given to `write`. */
export function jsonLinesLog(write: (line: string) => void): FleetLog {
  const say = (level: string, name: string, fields: FleetLogFields): void => {
    write(`${JSON.stringify({ time: new Date().toISOString(), level, event: name, ...fields })}\n`);
  };
  return {
    event: (name, fields = {}) => say('info', name, fields),
    warning: (name, fields = {}) => say('warn', name, fields),
    failure: (name, error, fields = {}) => say('error', name, { ...fields, error: wordsOf(error) }),
  };
}

/** An error in words, with its causes. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${wordsOf(error.cause)}`;
}
