import type { Budget } from '@fairlead/protocol';

/** setTimeout takes 2^31 - 1 ms and fires at once beyond. Source: Node's timers documentation. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** Aborts when the budget is spent, or `outer` aborts: the one way in which a number of milliseconds reaches a wait. */
export function budgetSignal(budget: Budget, outer: AbortSignal): AbortSignal {
  const leftMs = budget.leftMs(performance.now());
  if (leftMs > TIMER_MS_MAX) return outer;
  return AbortSignal.any([outer, AbortSignal.timeout(Math.ceil(leftMs))]);
}
