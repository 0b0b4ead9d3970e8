import type { ContainerState } from './state.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What each status must have, so that everything that works on it can. */
const CHECKS: Readonly<Record<ContainerState['status'], (state: Fields) => boolean>> = {
  created: ({ failure }) => isFailureOrNull(failure),
  starting: (state) => hasNumbers(state, ['restartCount', 'delayMs']) && isRunOrNull(state['last']),
  running: (state) =>
    isCreated(state['created']) &&
    state['startedAt'] instanceof Date &&
    hasNumbers(state, ['restartCount', 'delayMs']) &&
    (state['killAt'] === null || state['killAt'] instanceof Date) &&
    isRunOrNull(state['last']),
  restarting: (state) => hasNumbers(state, ['restartCount', 'delayMs']) && isRun(state['last']),
  exited: (state) => hasNumbers(state, ['restartCount']) && isRun(state['last']) && isFailureOrNull(state['failure']),
  removing: (state) => isRunOrNull(state['last']) && isFailureOrNull(state['failure']),
  dead: (state) => isRunOrNull(state['last']) && typeof state['message'] === 'string',
};

/**
 * Recognises a stored state: a damaged one is found when the engine starts, by the name of its container, and not when
 * somebody lists all of them.
 */
export function isContainerState(value: unknown): value is ContainerState {
  if (!isObject(value)) return false;
  const { status } = value;
  return isStatus(status) && CHECKS[status](value);
}

function isStatus(value: unknown): value is ContainerState['status'] {
  return typeof value === 'string' && Object.hasOwn(CHECKS, value);
}

function isCreated(value: unknown): boolean {
  if (!isObject(value)) return false;
  return [value['process'], value['monitor']].every((ref) => isObject(ref) && hasNumbers(ref, ['pid', 'startTicks']));
}

function isRun(value: unknown): boolean {
  if (!isObject(value) || !hasNumbers(value, ['exitCode'])) return false;
  return value['startedAt'] instanceof Date && value['finishedAt'] instanceof Date;
}

function isRunOrNull(value: unknown): boolean {
  return value === null || isRun(value);
}

function isFailureOrNull(value: unknown): boolean {
  return value === null || (isObject(value) && hasNumbers(value, ['exitCode']) && typeof value['message'] === 'string');
}

function hasNumbers(value: Fields, names: readonly string[]): boolean {
  return names.every((name) => typeof value[name] === 'number');
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}
