/** One network hop's share of every wait. Source: deadlines.md, rule 2. */
export const HOP_RESERVE_MS = 1000;
/** And two in a hundred of the wait itself, for clocks and schedulers. Source: deadlines.md, rule 2. */
export const RESERVE_FRACTION = 0.02;
/** What Docker takes at worst from SIGKILL to its answer: 10 s, then 2 s, then 2 s. Source: engine-api 3.2. */
export const DOCKER_KILL_CONFIRM_MS = 14_000;
/** Docker's grace when neither the caller nor the container says one. Source: engine-api 3.1. */
export const DOCKER_GRACE_MS = 10_000;
/** How long a start may take before the engine is called overdue; no engine publishes one. */
export const START_BOUND_MS = 120_000;
/** How long a probe on a fresh connection may take, before the engine counts as not answering at all. */
export const PROBE_MS = 5_000;

/** How much longer than the engine's bound a caller must listen. Infinity stays. */
export function reserveFor(boundMs: number): number {
  return boundMs === Infinity ? 0 : HOP_RESERVE_MS + boundMs * RESERVE_FRACTION;
}
