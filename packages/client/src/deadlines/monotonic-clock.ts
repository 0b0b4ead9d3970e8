/** A clock that nobody sets: every wait is measured with it, so that a wall clock that jumps changes nothing. */
export interface MonotonicClock {
  /** Milliseconds since some moment. */
  nowMs(): number;
  /** Calls back once after `ms`, of any length; Infinity never. Disposing cancels it. */
  after(ms: number, callback: () => void): Disposable;
}

/** setTimeout takes 2^31 - 1 ms and fires at once beyond. Source: Node's timers documentation. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** This process's own. */
export const systemClock: MonotonicClock = {
  nowMs: () => performance.now(),
  after(ms, callback) {
    if (ms === Infinity) return { [Symbol.dispose]: () => {} };
    const due = performance.now() + ms;
    const arm = (): NodeJS.Timeout => setTimeout(ring, Math.min(Math.max(0, due - performance.now()), TIMER_MS_MAX));
    let timer = arm();
    function ring(): void {
      if (performance.now() < due) timer = arm();
      else callback();
    }
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};
