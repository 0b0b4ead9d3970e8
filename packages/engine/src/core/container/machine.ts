import type { ErrorKind } from '@fairlead/protocol';
import type { CreatedProcess, ProcessExit } from '../ports/container-runtime.ts';
import type { NetworkEndpoint } from '../ports/network-driver.ts';
import type { HealthRecord } from './health.ts';
import type { ContainerState, LastRun, RunningState, StartFailure } from './state.ts';
import { shouldRestart, type RestartPolicy } from './restart-policy.ts';

export type ContainerEvent =
  | { readonly type: 'start-requested' }
  | {
      readonly type: 'launched';
      readonly created: CreatedProcess;
      readonly endpoint: NetworkEndpoint | null;
      readonly at: Date;
    }
  | { readonly type: 'launch-failed'; readonly failure: StartFailure }
  | {
      readonly type: 'signal-requested';
      readonly signal: number;
      readonly purpose: 'stop' | 'restart' | 'kill';
      /** For `stop` and `restart`: milliseconds before SIGKILL; Infinity never kills. */
      readonly graceMs: number;
      readonly at: Date;
    }
  | { readonly type: 'grace-expired' }
  | { readonly type: 'out-of-memory' }
  | { readonly type: 'exited'; readonly exit: ProcessExit }
  /** `forWork`: until the engine's own work is done, not until somebody says so. */
  | { readonly type: 'pause-requested'; readonly forWork?: boolean }
  | { readonly type: 'unpause-requested' }
  | { readonly type: 'freeze-failed' }
  | { readonly type: 'restart-due' }
  /** `volumes`: those that nobody named go, too. */
  | { readonly type: 'remove-requested'; readonly volumes?: boolean }
  | { readonly type: 'remove-failed'; readonly message: string };

/** Work owed to the outside world after a transition. Performed in order, by the actor only; each can be repeated. */
export type ContainerEffect =
  | { readonly effect: 'launch' }
  | { readonly effect: 'send-signal'; readonly created: CreatedProcess; readonly signal: number }
  | { readonly effect: 'freeze' }
  | { readonly effect: 'thaw' }
  | { readonly effect: 'arm-grace-timer'; readonly killAt: Date }
  | { readonly effect: 'disarm-timers' }
  | { readonly effect: 'arm-restart-timer'; readonly ms: number }
  | { readonly effect: 'clean-up-run' }
  | { readonly effect: 'remove-remains' }
  | { readonly effect: 'auto-remove' };

/** Effects that the state does not imply: they are stored with it until they are done. */
export type OwedEffect = Extract<ContainerEffect, { readonly effect: 'send-signal' | 'freeze' | 'thaw' }>;

/** Whether an effect has to be remembered: all others follow from the state alone. */
export function isOwed(effect: ContainerEffect): effect is OwedEffect {
  return effect.effect === 'send-signal' || effect.effect === 'freeze' || effect.effect === 'thaw';
}

/** What the world is told, durable together with the state. Attributes beyond image, name and labels. */
export interface Announcement {
  readonly action:
    | 'start'
    | 'kill'
    | 'die'
    | 'oom'
    | 'pause'
    | 'unpause'
    | 'destroy'
    | `health_status: ${HealthRecord['status']}`;
  readonly attributes?: Readonly<Record<string, string>>;
}

export type Transition =
  | {
      readonly ok: true;
      readonly state: ContainerState;
      readonly effects: readonly ContainerEffect[];
      readonly announcements: readonly Announcement[];
    }
  | { readonly ok: false; readonly kind: ErrorKind; readonly reason: string };

/** What of a container's configuration its life depends on. */
export interface ContainerRules {
  readonly id: string;
  readonly restartPolicy: RestartPolicy;
  readonly autoRemove: boolean;
  /** Number of the configured stop signal; undefined when none was configured. */
  readonly stopSignal: number | undefined;
}

const SIGKILL = 9;

/**
 * Decides what happens next. Pure: no clock, no I/O, no throw.
 *
 * @returns the next state with the effects it owes and what is announced, or why the event is refused in this state.
 */
export function transition(state: ContainerState, event: ContainerEvent, rules: ContainerRules): Transition {
  switch (event.type) {
    case 'start-requested':
      return onStartRequested(state);
    case 'launched':
      return onLaunched(state, event);
    case 'launch-failed':
      return onLaunchFailed(state, event.failure, rules);
    case 'signal-requested':
      return onSignalRequested(state, event, rules);
    case 'grace-expired':
      return onGraceExpired(state);
    case 'out-of-memory':
      if (state.status !== 'running') return next(state);
      return next({ ...state, oomKilled: true }, [], [{ action: 'oom' }]);
    case 'exited':
      return onExited(state, event.exit, rules);
    case 'pause-requested':
      return onPauseRequested(state, event, rules);
    case 'unpause-requested':
      if (state.status !== 'running' || !state.paused) return refuse('internal', `Container ${rules.id} is not paused`);
      return next({ ...state, paused: false }, [{ effect: 'thaw' }], [{ action: 'unpause' }]);
    case 'freeze-failed':
      return state.status === 'running' ? next({ ...state, paused: false }) : next(state);
    case 'restart-due':
      if (state.status !== 'restarting') return next(state);
      return next({ status: 'starting', restartCount: state.restartCount, delayMs: state.delayMs, last: state.last }, [
        { effect: 'launch' },
      ]);
    case 'remove-requested':
      return onRemoveRequested(state, event.volumes === true, rules);
    case 'remove-failed':
      return state.status === 'removing'
        ? next({ status: 'dead', last: state.last, message: event.message })
        : next(state);
    default:
      return event satisfies never;
  }
}

function onStartRequested(state: ContainerState): Transition {
  switch (state.status) {
    case 'created':
      return next({ status: 'starting', restartCount: 0, delayMs: 0, last: null }, [{ effect: 'launch' }]);
    case 'exited':
      return next({ status: 'starting', restartCount: 0, delayMs: 0, last: state.last }, [{ effect: 'launch' }]);
    case 'running':
      if (state.paused) return refuse('conflict', 'cannot start a paused container, try unpause instead');
      return refuse('not-modified', 'container is already running');
    case 'starting':
    case 'restarting':
      return refuse('not-modified', 'container is already running');
    case 'removing':
    case 'dead':
      return refuse('conflict', 'container is marked for removal and cannot be started');
    default:
      return state satisfies never;
  }
}

function onLaunched(state: ContainerState, event: Extract<ContainerEvent, { type: 'launched' }>): Transition {
  if (state.status !== 'starting') return next(state);
  const running: RunningState = {
    status: 'running',
    created: event.created,
    endpoint: event.endpoint,
    startedAt: event.at,
    paused: false,
    restartCount: state.restartCount,
    last: state.last,
    delayMs: state.delayMs,
    manuallyStopped: false,
    restartCancelled: false,
    keep: false,
    killAt: null,
    killedAfterGrace: false,
  };
  return next(running, [], [{ action: 'start' }]);
}

function onLaunchFailed(state: ContainerState, failure: StartFailure, rules: ContainerRules): Transition {
  if (state.status !== 'starting') return next(state);
  const effects: ContainerEffect[] = rules.autoRemove ? [{ effect: 'auto-remove' }] : [];
  if (state.last === null) return next({ status: 'created', failure }, effects);
  return next(
    { status: 'exited', last: state.last, restartCount: state.restartCount, manuallyStopped: false, failure },
    effects,
  );
}

function onSignalRequested(
  state: ContainerState,
  event: Extract<ContainerEvent, { type: 'signal-requested' }>,
  rules: ContainerRules,
): Transition {
  if (state.status === 'restarting') {
    // Nothing runs: the cancelled back-off is the whole stop. Source: engine-api 3.5 (4).
    return next(
      { status: 'exited', last: state.last, restartCount: state.restartCount, manuallyStopped: true, failure: null },
      [{ effect: 'disarm-timers' }],
    );
  }
  if (state.status !== 'running') {
    if (event.purpose === 'kill') return refuse('conflict', `container ${rules.id} is not running`);
    return refuse('not-modified', 'container is already stopped');
  }
  const cancels = rules.stopSignal === undefined || event.signal === SIGKILL || event.signal === rules.stopSignal;
  const thaws = state.paused && cancels;
  const killAt = event.purpose === 'kill' ? state.killAt : earlier(state.killAt, event);
  const running: RunningState = {
    ...state,
    paused: state.paused && !thaws,
    manuallyStopped: true,
    restartCancelled: state.restartCancelled || cancels || event.purpose !== 'kill',
    keep: state.keep || event.purpose === 'restart',
    killAt,
  };
  return next(
    running,
    [
      { effect: 'send-signal', created: state.created, signal: event.signal },
      ...(thaws ? [{ effect: 'thaw' } as const] : []),
      ...(killAt === null || killAt === state.killAt ? [] : [{ effect: 'arm-grace-timer', killAt } as const]),
    ],
    [
      { action: 'kill', attributes: { signal: String(event.signal) } },
      ...(thaws && event.signal !== SIGKILL ? [{ action: 'unpause' } as const] : []),
    ],
  );
}

/** The shorter grace wins; a later stop never lengthens an earlier one. Source: engine-api 3.4. */
function earlier(killAt: Date | null, event: { readonly graceMs: number; readonly at: Date }): Date | null {
  if (!Number.isFinite(event.graceMs)) return killAt;
  const asked = new Date(event.at.getTime() + event.graceMs);
  return killAt !== null && killAt <= asked ? killAt : asked;
}

function onGraceExpired(state: ContainerState): Transition {
  if (state.status !== 'running' || state.killAt === null || state.killedAfterGrace) return next(state);
  return next(
    { ...state, killedAfterGrace: true, paused: false },
    [
      { effect: 'send-signal', created: state.created, signal: SIGKILL },
      ...(state.paused ? [{ effect: 'thaw' } as const] : []),
    ],
    [{ action: 'kill', attributes: { signal: String(SIGKILL) } }],
  );
}

function onExited(state: ContainerState, exit: ProcessExit, rules: ContainerRules): Transition {
  if (state.status !== 'running') return next(state);
  const last: LastRun = {
    exitCode: exit.exitCode,
    startedAt: state.startedAt,
    finishedAt: exit.at,
    oomKilled: exit.oomKilled || state.oomKilled === true,
    killedAfterGrace: state.killedAfterGrace,
    error: exit.error ?? '',
  };
  const ranMs = exit.at.getTime() - state.startedAt.getTime();
  const announcements: Announcement[] = [
    ...(exit.oomKilled ? [{ action: 'oom' } as const] : []),
    {
      action: 'die',
      attributes: { exitCode: String(exit.exitCode), execDuration: String(Math.max(0, Math.round(ranMs / 1000))) },
    },
  ];
  const effects: ContainerEffect[] = [{ effect: 'disarm-timers' }, { effect: 'clean-up-run' }];
  const again = shouldRestart(rules.restartPolicy, {
    exitCode: exit.exitCode,
    ranMs,
    restartCount: state.restartCount,
    delayMs: state.delayMs,
    manuallyStopped: state.manuallyStopped,
    cancelled: state.restartCancelled,
  });
  const { restartCount, manuallyStopped } = state;
  if (again.restart) {
    return next(
      { status: 'restarting', restartCount: restartCount + 1, last, delayMs: again.delayMs, manuallyStopped },
      [...effects, { effect: 'arm-restart-timer', ms: again.delayMs }],
      announcements,
    );
  }
  if (rules.autoRemove && !state.keep) effects.push({ effect: 'auto-remove' });
  return next({ status: 'exited', last, restartCount, manuallyStopped, failure: null }, effects, announcements);
}

function onPauseRequested(
  state: ContainerState,
  { forWork = false }: Extract<ContainerEvent, { type: 'pause-requested' }>,
  rules: ContainerRules,
): Transition {
  if (state.status === 'restarting') {
    return refuse('conflict', `Container ${rules.id} is restarting, wait until the container is running`);
  }
  if (state.status !== 'running') return refuse('conflict', `container ${rules.id} is not running`);
  if (state.paused) return refuse('conflict', `Container ${rules.id} is already paused`);
  return next({ ...state, paused: true, pausedForWork: forWork }, [{ effect: 'freeze' }], [{ action: 'pause' }]);
}

function onRemoveRequested(state: ContainerState, volumes: boolean, rules: ContainerRules): Transition {
  const removing = { status: 'removing', volumes } as const;
  switch (state.status) {
    case 'created':
      return next({ ...removing, last: null, failure: state.failure }, [{ effect: 'remove-remains' }]);
    case 'exited':
      return next({ ...removing, last: state.last, failure: state.failure }, [{ effect: 'remove-remains' }]);
    case 'dead':
      return next({ ...removing, last: state.last, failure: null }, [{ effect: 'remove-remains' }]);
    case 'removing':
      return refuse('conflict', `removal of container ${rules.id} is already in progress`);
    case 'running':
      if (state.paused) return refuse('conflict', 'container is paused and must be unpaused first');
      return refuse('conflict', 'container is running: stop the container before removing or force remove');
    case 'starting':
    case 'restarting':
      return refuse('conflict', `container is ${state.status}: stop the container before removing or force remove`);
    default:
      return state satisfies never;
  }
}

function next(
  state: ContainerState,
  effects: readonly ContainerEffect[] = [],
  announcements: readonly Announcement[] = [],
): Transition {
  return { ok: true, state, effects, announcements };
}

function refuse(kind: ErrorKind, reason: string): Transition {
  return { ok: false, kind, reason };
}
