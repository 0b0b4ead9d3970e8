import { formatDate, type ContainerStatus, type State } from '@fairlead/protocol';
import type { ContainerState, LastRun, StartFailure } from './state.ts';

/** Docker's word for a state. What Docker has no word for shows as what was before. Source: engine-api 2.1. */
export function wireStatus(state: ContainerState): ContainerStatus {
  switch (state.status) {
    case 'starting':
      if (isRestarting(state)) return 'restarting';
      return state.last === null ? 'created' : 'exited';
    case 'running':
      return state.paused ? 'paused' : 'running';
    case 'created':
    case 'restarting':
    case 'exited':
    case 'removing':
    case 'dead':
      return state.status;
    default:
      return state satisfies never;
  }
}

/** `inspect`'s State object. Running is true for paused and restarting containers. Source: engine-api 2.1. */
export function inspectState(state: ContainerState): State {
  const last = lastOf(state);
  const running = state.status === 'running' || isRestarting(state);
  return {
    Status: wireStatus(state),
    Running: running,
    Paused: state.status === 'running' && state.paused,
    Restarting: isRestarting(state),
    OOMKilled: state.status === 'running' ? state.oomKilled === true : (last?.oomKilled ?? false),
    Dead: state.status === 'dead',
    Pid: state.status === 'running' ? state.created.process.pid : 0,
    ExitCode: exitCodeOf(state),
    Error:
      state.status === 'dead' ? state.message : (failureOf(state)?.message ?? (running ? '' : (last?.error ?? ''))),
    StartedAt: formatDate(state.status === 'running' ? state.startedAt : last?.startedAt),
    FinishedAt: formatDate(last?.finishedAt),
  };
}

/** Of the last run, or of a start that failed since; 0 while it runs, and when it never did. */
export function exitCodeOf(state: ContainerState): number {
  return state.status === 'running' ? 0 : (failureOf(state)?.exitCode ?? lastOf(state)?.exitCode ?? 0);
}

function failureOf(state: ContainerState): StartFailure | null {
  return 'failure' in state ? state.failure : null;
}

/** Between two runs of a restart policy: also while the next one is being made. A start that somebody asked for counts from 0. */
export function isRestarting(state: ContainerState): boolean {
  return state.status === 'restarting' || (state.status === 'starting' && state.restartCount > 0);
}

/** How often the restart policy started it since somebody did. */
export function restartCountOf(state: ContainerState): number {
  return 'restartCount' in state ? state.restartCount : 0;
}

/** The run before, or the one that is over; undefined when there was none. */
export function lastOf(state: ContainerState): LastRun | undefined {
  return ('last' in state ? state.last : null) ?? undefined;
}
