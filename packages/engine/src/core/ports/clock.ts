/** Time as the engine sees it; tests use their own. */
export interface Clock {
  now(): Date;
  /** Monotonic milliseconds since an arbitrary moment, for measuring how long something took. */
  monotonicMs(): number;
  /** Runs `callback` once after `ms` milliseconds; disposing cancels it. Any length is allowed, also beyond 2^31. */
  after(ms: number, callback: () => void): Disposable;
}
