import type { Clock } from './clock.ts';

/** Time that moves when a test says so. */
export class FakeClock implements Clock {
  readonly #timers = new Set<{ readonly dueMs: number; readonly callback: () => void }>();
  #elapsedMs = 0;

  now(): Date {
    return new Date(Date.UTC(2026, 0, 1) + this.#elapsedMs);
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  after(ms: number, callback: () => void): Disposable {
    const timer = { dueMs: this.#elapsedMs + ms, callback };
    this.#timers.add(timer);
    return { [Symbol.dispose]: () => void this.#timers.delete(timer) };
  }

  advance(ms: number): void {
    this.#elapsedMs += ms;
    for (const timer of [...this.#timers].toSorted((a, b) => a.dueMs - b.dueMs)) {
      if (timer.dueMs <= this.#elapsedMs && this.#timers.delete(timer)) timer.callback();
    }
  }
}
