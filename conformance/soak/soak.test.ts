import assert from 'node:assert/strict';
import { setPriority } from 'node:os';
import { describe, it } from 'node:test';
import { memoryWords } from './soak-memory.ts';
import { soak } from './soak.ts';

/** `make soak` gives twenty minutes. */
const SECONDS = Number(process.env['SOAK_SECONDS'] ?? 60);
const CLIENTS = Number(process.env['SOAK_CLIENTS'] ?? 16);
const SEED = Number(process.env['SOAK_SEED'] ?? Date.now() % 1_000_000);
/** Besides the clients' time: to start, to remove everything twice, and to wait for what does not go. */
const AROUND_MS = 180_000;

// Other tests are not to wait for these: engine and containers inherit it.
setPriority(10);

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
      // What is found must be found again: verbs and moments come from the seed, though not what the machine makes of them.
      const replay = `SOAK_SEED=${SEED} SOAK_CLIENTS=${CLIENTS} SOAK_SECONDS=${SECONDS} make soak`;
      assert.deepEqual(wrong.length === 0 ? [] : [replay, ...wrong], []);
    },
  );
});
