import type { Budget } from '@fairlead/protocol';
import type { MonotonicClock } from './monotonic-clock.ts';

/** Calls back once when the budget is spent; never for one without end. Disposing cancels it. */
export function whenSpent(clock: MonotonicClock, budget: Budget, callback: () => void): Disposable {
  return clock.after(budget.leftMs(clock.nowMs()), callback);
}

/** A signal that aborts with `reason()` when the budget is spent; dispose it when the wait is over. */
export function budgetSignal(
  clock: MonotonicClock,
  budget: Budget,
  reason: () => Error,
): { readonly signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  const timer = whenSpent(clock, budget, () => controller.abort(reason()));
  return { signal: controller.signal, [Symbol.dispose]: () => timer[Symbol.dispose]() };
}
