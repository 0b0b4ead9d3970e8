import { setTimeout as delay } from 'node:timers/promises';

/** Resolves when `isMet` says so; a test that waits for ever is ended by its own time limit. */
export async function eventually(isMet: () => boolean): Promise<void> {
  while (!isMet()) await delay(2);
}

/** Resolves with a figure that has not changed for `forMs` milliseconds. */
export async function settled(figure: () => number, forMs = 60): Promise<number> {
  for (;;) {
    const before = figure();
    await delay(forMs);
    if (figure() === before) return before;
  }
}
