import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { OUTPUT_CHARACTERS_MAX } from '@fairlead/protocol/fleet';
import { cutOutput } from './cut-output.ts';

async function* chunksOf(
  text: string,
  sizes: readonly number[],
): AsyncGenerator<{ stream: 'stdout'; bytes: Uint8Array }> {
  const bytes = Buffer.from(text);
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield { stream: 'stdout', bytes: bytes.subarray(at, at + size) };
    at += size;
  }
}

describe('cutOutput', () => {
  it('gives back any text, however it was cut into pieces', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'grapheme' }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
        async (text, sizes) => {
          assert.deepEqual(await cutOutput(chunksOf(text, sizes)), { stdout: text, stderr: '' });
        },
      ),
    );
  });

  it('keeps the first characters of what is longer, and says so', async () => {
    const long = 'ä'.repeat(OUTPUT_CHARACTERS_MAX + 5);
    const { stdout, truncated } = await cutOutput(chunksOf(long, [4096]));
    assert.equal(stdout, 'ä'.repeat(OUTPUT_CHARACTERS_MAX));
    assert.equal(truncated, true);
  });
});
