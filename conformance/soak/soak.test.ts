import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryWords } from './soak-memory.ts';
import { soak } from './soak.ts';

/** `make soak` gives twenty minutes. */
const SECONDS = Number(process.env['SOAK_SECONDS'] ?? (process.env['CI'] === undefined ? 20 : 60));
const CLIENTS = Number(process.env['SOAK_CLIENTS'] ?? 16);
const SEED = Number(process.env['SOAK_SEED'] ?? Date.now() % 1_000_000);
/** Besides the clients' time: to start, to remove everything twice, and to wait for what does not go. */
const AROUND_MS = 180_000;

describe(`${CLIENTS} clients that do for ${SECONDS} s whatever comes to their minds, and hang up`, () => {
  it(
    'are answered as the specification has it, and leave nothing behind',
    { timeout: SECONDS * 1000 + AROUND_MS },
    async (test) => {
      test.diagnostic(`SOAK_SEED=${SEED}`);
      const { requests, answers, wrong, rests } = await soak({ seed: SEED, seconds: SECONDS, clients: CLIENTS });
      test.diagnostic(`${requests} requests, ${Math.round(requests / SECONDS)} a second`);
      for (const rest of rests) test.diagnostic(memoryWords(rest));
      if (wrong.length > 0) for (const line of answers) test.diagnostic(line);
      assert.deepEqual(wrong, []);
    },
  );
});
