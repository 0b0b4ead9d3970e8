/** setTimeout takes 2^31 - 1 ms and fires at once beyond. Source: Node's timers documentation. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** Calls back once after `ms`, of any length; Infinity never. Disposing cancels it. Does not keep the process alive. */
export function deadlineTimer(ms: number, callback: () => void): Disposable {
  if (ms === Infinity) return { [Symbol.dispose]: () => {} };
  const due = performance.now() + ms;
  const arm = (): NodeJS.Timeout => setTimeout(ring, Math.min(Math.max(0, due - performance.now()), TIMER_MS_MAX));
  let timer = arm();
  function ring(): void {
    if (performance.now() < due) timer = arm();
    else callback();
  }
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}

/** A signal that aborts with `reason()` after `ms`; dispose it when the wait is over. */
export function deadlineSignal(ms: number, reason: () => Error): { readonly signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  const timer = deadlineTimer(ms, () => controller.abort(reason()));
  return { signal: controller.signal, [Symbol.dispose]: () => timer[Symbol.dispose]() };
}
