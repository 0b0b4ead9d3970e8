import type { ErrorKind } from '@fairlead/protocol';

/** Life of one exec. It starts at most once. */
export type ExecState =
  | { readonly status: 'created' }
  /** Claimed by a start; a second start is refused from here on. */
  | { readonly status: 'starting' }
  | { readonly status: 'running'; readonly pid: number }
  | { readonly status: 'exited'; readonly pid: number; readonly exitCode: number; readonly at: Date };

export type ExecEvent =
  | { readonly type: 'claimed' }
  | { readonly type: 'started'; readonly pid: number }
  | { readonly type: 'exited'; readonly exitCode: number; readonly at: Date };

export type ExecTransition =
  | { readonly ok: true; readonly state: ExecState }
  | {
      readonly ok: false;
      readonly kind: Extract<ErrorKind, 'conflict'>;
      readonly reason: 'is already running' | 'has already run';
    };

/** Decides what happens next. Pure. A report that comes late (a start after the exit) changes nothing. */
export function execTransition(state: ExecState, event: ExecEvent): ExecTransition {
  switch (event.type) {
    case 'claimed':
      if (state.status === 'created') return { ok: true, state: { status: 'starting' } };
      if (state.status === 'exited') return { ok: false, kind: 'conflict', reason: 'has already run' };
      return { ok: false, kind: 'conflict', reason: 'is already running' };
    case 'started':
      if (state.status !== 'starting') return { ok: true, state };
      return { ok: true, state: { status: 'running', pid: event.pid } };
    case 'exited':
      if (state.status === 'exited') return { ok: true, state };
      return {
        ok: true,
        state: {
          status: 'exited',
          pid: state.status === 'running' ? state.pid : 0,
          exitCode: event.exitCode,
          at: event.at,
        },
      };
    default:
      return event satisfies never;
  }
}
