import {
  containerEndpoints,
  decodeQuery,
  API_VERSION,
  KILL_CONFIRM_DOCKER_MS,
  STOP_GRACE_DEFAULT_MS,
  waitForBoundMs,
} from '@fairlead/protocol';
import type { Exchange } from './recording.ts';
import type { ContainerFate } from './trace-event.ts';

/** How long an engine had been told to wait before SIGKILL, and who told it. */
export interface Grace {
  /** Infinity: without end. */
  readonly ms: number;
  readonly source: 'request' | 'container' | 'default' | 'kill';
}

/** What a stop is measured with. All in ms. */
export interface StopArithmetic {
  readonly grace: Grace;
  readonly killConfirmMs: number;
  /** The latest moment at which the engine owes an answer, from the request. */
  readonly boundMs: number;
  /** The shortest patience of a client that is enough. */
  readonly patienceMs: number;
}

/** What the tracer found out about the container and the engine, or nothing. */
export interface StopFacts {
  readonly fate: ContainerFate | undefined;
  readonly killConfirmMs: number | undefined;
}

/** The arithmetic of a stop, restart or kill: the grace from `t`, else the container's own, else the default. */
export function stopArithmetic(exchange: Exchange, facts: StopFacts): StopArithmetic {
  const grace = graceOf(exchange, facts.fate);
  const killConfirmMs = facts.killConfirmMs ?? KILL_CONFIRM_DOCKER_MS;
  const boundMs = grace.ms + killConfirmMs;
  return { grace, killConfirmMs, boundMs, patienceMs: waitForBoundMs(boundMs) };
}

function graceOf({ endpoint }: Exchange, fate: ContainerFate | undefined): Grace {
  if (endpoint.name === 'container.kill') return { ms: 0, source: 'kill' };
  const asked = graceIn(endpoint.query);
  if (asked !== undefined) return { ms: asked, source: 'request' };
  const own = fate?.known === 'state' ? fate.stopTimeoutSeconds : null;
  if (own === null) return { ms: STOP_GRACE_DEFAULT_MS, source: 'default' };
  return { ms: own < 0 ? Infinity : own * 1000, source: 'container' };
}

function graceIn(query: URLSearchParams): number | undefined {
  try {
    return decodeQuery(containerEndpoints.stop.query, query, API_VERSION).t;
  } catch {
    // No number: the engine refuses it, and then there is no grace at all.
    return undefined;
  }
}
