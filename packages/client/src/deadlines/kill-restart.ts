import {
  boundMs,
  containerEndpoints as rows,
  type ContainerRef,
  DOCKER_ALLOWANCES,
  waitForBoundMs,
} from '@fairlead/protocol';
import { call } from '../call.ts';
import { type ClientDeps, type Listening, signalOf } from '../groups/group.ts';
import { runBounded } from './run-bounded.ts';
import { containerGrace, killConfirm, probeState, waitForEnd } from './stop-container.ts';

export interface KillOptions extends Listening {
  /** SIGKILL when absent; then the answer waits for the exit. */
  readonly stopSignal?: string | undefined;
}

export interface RestartOptions extends Listening {
  /** Absent: the container's own. Infinity: never killed. */
  readonly graceMs?: number | undefined;
  readonly stopSignal?: string | undefined;
}

/**
 * Sends a signal; SIGKILL waits until the process is gone.
 *
 * @throws RequestFailedError 'conflict' when it is not running, EngineOverdueError, EngineUnreachableError.
 */
export async function killContainer(deps: ClientDeps, ref: ContainerRef, options: KillOptions): Promise<void> {
  const caller = signalOf(options);
  const operation = `kill ${ref}`;
  const killConfirmMs = await killConfirm(deps, caller);
  const bound = boundMs('kill', { ...DOCKER_ALLOWANCES, killConfirmMs });
  const query = { signal: options.stopSignal };
  const sendsKill = options.stopSignal === undefined;
  await runBounded<true>(
    { probe: (signal) => probeState(deps, ref, signal) },
    {
      operation,
      boundMs: Promise.resolve(bound),
      patienceMs: Infinity,
      attempt: async (signal) => {
        await call(deps, rows.kill, { operation, params: { id: ref }, query, signal, budgetMs: waitForBoundMs(bound) });
        return true;
      },
      // Whether another signal arrived cannot be seen from outside.
      settled: (state) => (sendsKill && (state === 'removed' || !state.Running) ? true : undefined),
      pending: () => operation,
      wait: (signal) => waitForEnd(deps, ref, signal),
    },
    caller,
  );
}

/**
 * Stops and starts a container.
 *
 * @throws RequestFailedError, EngineOverdueError, EngineUnreachableError.
 */
export async function restartContainer(deps: ClientDeps, ref: ContainerRef, options: RestartOptions): Promise<void> {
  const caller = signalOf(options);
  const operation = `restart ${ref}`;
  const killConfirmMs = await killConfirm(deps, caller);
  const askedAt = Date.now();
  const { graceMs } = options;
  const grace = graceMs === undefined ? containerGrace(deps, ref, caller) : Promise.resolve(graceMs);
  const query = { t: graceMs, signal: options.stopSignal };
  await runBounded<true>(
    { probe: (signal) => probeState(deps, ref, signal) },
    {
      operation,
      boundMs: grace.then((ms) => boundMs('restart', { ...DOCKER_ALLOWANCES, graceMs: ms, killConfirmMs })),
      patienceMs: Infinity,
      attempt: async (signal) => {
        await call(deps, rows.restart, { operation, params: { id: ref }, query, signal });
        return true;
      },
      // The engine's clock may differ by hours from this one; a start after the request counts only if it is clearly later.
      settled: (state) =>
        state !== 'removed' && state.Running && Date.parse(state.StartedAt) > askedAt ? true : undefined,
      pending: () => operation,
      wait: (signal) => waitForEnd(deps, ref, signal),
    },
    caller,
  );
}
