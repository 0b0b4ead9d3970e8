import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_AGAIN_MS = 50;
const WITHIN_MS = 15_000;

/** Looks again and again until it sees what is expected. @throws AssertionError with what it saw last, after 15 s. */
export async function eventually<T>(look: () => Promise<T>, expected: T): Promise<void> {
  const lastLook = performance.now() + WITHIN_MS;
  for (;;) {
    const seen = await look();
    if (Object.is(seen, expected)) return;
    if (performance.now() > lastLook) return assert.deepEqual(seen, expected);
    await sleep(LOOK_AGAIN_MS);
  }
}
