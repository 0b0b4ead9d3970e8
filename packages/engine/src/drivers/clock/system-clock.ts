import type { Clock } from '../../core/ports/clock.ts';

/** setTimeout takes no more: beyond, it fires at once. Source: Node's timers, TIMEOUT_MAX. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

/** The host's time. */
export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  after(ms, callback) {
    let left = ms;
    let timer: NodeJS.Timeout;
    const arm = (): void => {
      const step = Math.min(left, TIMEOUT_MS_MAX);
      left -= step;
      timer = setTimeout(() => (left > 0 ? arm() : callback()), step);
    };
    arm();
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};
