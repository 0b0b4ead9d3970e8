/** Pauses that grow, spread so that a fleet does not come back in one moment. */
export interface Backoff {
  nextMs: number;
  readonly minMs: number;
  readonly maxMs: number;
}

/** From `minMs`, doubled with every pause, to at most `maxMs`. */
export function backoff(minMs: number, maxMs: number): Backoff {
  return { nextMs: minMs, minMs, maxMs };
}

/** The next pause: between a half and the whole of it. */
export function pauseMs(limits: Backoff): number {
  const ms = limits.nextMs * (0.5 + Math.random() / 2);
  limits.nextMs = Math.min(limits.nextMs * 2, limits.maxMs);
  return ms;
}
