import { setTimeout as sleep } from 'node:timers/promises';
import type { MonotonicClock } from './deadlines/monotonic-clock.ts';

/** A clock that goes on when a test says so. */
export class FakeClock implements MonotonicClock {
  readonly #timers = new Set<{ readonly dueMs: number; readonly callback: () => void }>();
  #nowMs = 1_000;

  nowMs(): number {
    return this.#nowMs;
  }

  after(ms: number, callback: () => void): Disposable {
    const timer = { dueMs: this.#nowMs + ms, callback };
    this.#timers.add(timer);
    return { [Symbol.dispose]: () => void this.#timers.delete(timer) };
  }

  /** Timers that are due ring in their order. */
  advance(ms: number): void {
    this.#nowMs += ms;
    const due = [...this.#timers].filter(({ dueMs }) => dueMs <= this.#nowMs).toSorted((a, b) => a.dueMs - b.dueMs);
    for (const timer of due) if (this.#timers.delete(timer)) timer.callback();
  }

  /** Lets what is under way come to rest, then goes on; in steps, because one wait may begin when another ends. */
  async pass(ms: number, steps = 4): Promise<void> {
    for (let step = 0; step < steps; step += 1) {
      await sleep(10);
      this.advance(ms / steps);
    }
    await sleep(10);
  }
}
