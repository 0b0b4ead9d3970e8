import { EngineError } from '@fairlead/protocol';

/**
 * Places where a call to the world outside can be made to fail, or the engine to die: every call that changes something,
 * by what it does.
 */
export const CHECKPOINTS = [
  'files.write',
  'files.rename',
  'files.remove',
  'files.make-directory',
  'files.link',
  'files.lock',
  'bytes.open',
  'bytes.write',
  'bytes.sync',
  'kernel.write',
  'nodes.make',
  'mounts.mount',
  'mounts.unmount',
  'process.spawn',
  'process.end',
  'process.signal',
  'sockets.connect',
  'sqlite.put',
  'sqlite.delete',
  'sqlite.append',
  'sqlite.commit',
] as const;

export type Checkpoint = (typeof CHECKPOINTS)[number];

/** What happens at a checkpoint. `crash` is before the call, `crash-after` when it has returned. */
export type FaultAction =
  | { readonly action: 'ok' | 'crash' | 'crash-after' }
  | { readonly action: 'error'; readonly code: string };

interface Step {
  readonly count: number;
  readonly action: FaultAction;
}

/** What one passing of a checkpoint leads to, and how many there were before it. */
export interface FaultPlan {
  /** File that must exist for checkpoints to count; undefined: they always do. */
  readonly when: string | undefined;
  /** File to which the name of every counted checkpoint is appended, a line each. */
  readonly trace: string | undefined;
  /** Counts one passing and says what happens. */
  pass(checkpoint: Checkpoint): FaultAction;
}

const OK: FaultAction = { action: 'ok' };
/** Counts checkpoints of all names. */
const ANY = 'any';
const STEP = /^(?:([1-9]\d{0,8})\*)?(ok|crash|crash-after|error\((E[A-Z0-9]{1,20})\))$/;
const PLACE = /^(when|trace) +(\/\S+)$/;
const RULE = /^([a-z.-]+): *(.+)$/;

/**
 * Reads the text of a plan: clauses between semicolons.
 *
 * - `files.rename: 2*ok -> 1*error(ENOSPC)`: the third rename fails, all others are real. A step without a count happens
 *   once. Actions are `ok`, `error(ERRNO)`, `crash` (SIGKILL before the call) and `crash-after` (when it has returned).
 * - `any: 17*ok -> crash`: the same over checkpoints of every name, in the order in which they are passed.
 * - `when /path`: nothing is counted before this file exists. - `trace /path`: names of what is counted go there.
 *
 * @throws EngineError 'invalid-argument' that names what it did not understand.
 */
export function parseFaultPlan(text: string): FaultPlan {
  const places = new Map<string, string>();
  const rules = new Map<string, readonly Step[]>();
  for (const clause of text.split(';').map((part) => part.trim())) {
    const [, kind, path] = PLACE.exec(clause) ?? [];
    const [, name, steps] = RULE.exec(clause) ?? [];
    if (kind !== undefined && path !== undefined) set(places, kind, path);
    else if (name !== undefined && steps !== undefined && isRuled(name))
      set(rules, name, steps.split('->').map(stepOf));
    else throw refusal(clause);
  }
  const counts = new Map<string, number>();
  const next = (name: string): FaultAction => {
    const passed = counts.get(name) ?? 0;
    counts.set(name, passed + 1);
    return actionAt(rules.get(name) ?? [], passed);
  };
  return {
    when: places.get('when'),
    trace: places.get('trace'),
    pass(checkpoint) {
      const own = next(checkpoint);
      const any = next(ANY);
      return own.action === 'ok' ? any : own;
    },
  };
}

function set<T>(map: Map<string, T>, key: string, value: T): void {
  if (map.has(key)) throw refusal(`${key} twice`);
  map.set(key, value);
}

function isRuled(name: string): boolean {
  return name === ANY || CHECKPOINTS.some((known) => known === name);
}

function stepOf(text: string): Step {
  const [, count, word, code] = STEP.exec(text.trim()) ?? [];
  if (word === undefined) throw refusal(text.trim());
  const action: FaultAction =
    code !== undefined
      ? { action: 'error', code }
      : { action: word === 'crash' || word === 'crash-after' ? word : 'ok' };
  return { count: Number(count ?? 1), action };
}

function actionAt(steps: readonly Step[], passed: number): FaultAction {
  let before = 0;
  for (const { count, action } of steps) {
    before += count;
    if (passed < before) return action;
  }
  return OK;
}

function refusal(what: string): EngineError {
  return new EngineError('invalid-argument', `fault plan: cannot understand ${JSON.stringify(what)}`);
}
