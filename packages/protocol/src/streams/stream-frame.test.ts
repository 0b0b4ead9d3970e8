import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { encodeFrame, encodeFrameHeader, FrameDecoder, type FrameStream } from './stream-frame.ts';

const streams: readonly FrameStream[] = ['stdin', 'stdout', 'stderr', 'system-error'];
const frame = fc.record({ stream: fc.constantFrom(...streams), payload: fc.uint8Array({ maxLength: 40 }) });

/** The text of each run of one stream, however it was cut. */
function read(pieces: Iterable<Uint8Array>): { stream: FrameStream; bytes: number[] }[] {
  const decoder = new FrameDecoder();
  const runs: { stream: FrameStream; bytes: number[] }[] = [];
  for (const piece of pieces) {
    for (const { stream, bytes } of decoder.push(piece)) {
      const last = runs.at(-1);
      if (last?.stream === stream) last.bytes.push(...bytes);
      else runs.push({ stream, bytes: [...bytes] });
    }
  }
  decoder.end();
  return runs;
}

function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0, i = 0; at < bytes.length; i += 1) {
    const size = Math.max(1, sizes[i % Math.max(1, sizes.length)] ?? bytes.length);
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

describe('FrameDecoder', () => {
  it('gives back what was framed, in any chunking', () => {
    fc.assert(
      fc.property(fc.array(frame), fc.array(fc.integer({ min: 1, max: 20 })), (frames, sizes) => {
        const bytes = Buffer.concat(frames.map(({ stream, payload }) => encodeFrame(stream, payload)));
        const whole = read([bytes]);
        assert.deepEqual(read(cut(bytes, sizes)), whole);
        const expected = frames.filter(({ payload }) => payload.length > 0);
        assert.deepEqual(
          whole.flatMap((run) => run.bytes),
          expected.flatMap(({ payload }) => [...payload]),
        );
        for (const stream of streams) {
          assert.deepEqual(
            whole.filter((run) => run.stream === stream).flatMap((run) => run.bytes),
            expected.filter((f) => f.stream === stream).flatMap(({ payload }) => [...payload]),
          );
        }
      }),
    );
  });

  it('reads the length big-endian, as Docker writes it', () => {
    const [chunk] = new FrameDecoder().push(Uint8Array.of(2, 0, 0, 0, 0, 0, 1, 2, 7));
    assert.deepEqual(chunk, { stream: 'stderr', bytes: Uint8Array.of(7) });
    assert.deepEqual([...encodeFrameHeader('stderr', 258)], [2, 0, 0, 0, 0, 0, 1, 2]);
  });

  it('copies nothing', () => {
    const bytes = encodeFrame('stdout', new Uint8Array(5));
    for (const chunk of new FrameDecoder().push(bytes)) assert.equal(chunk.bytes.buffer, bytes.buffer);
  });

  it('refuses a length of 0x80000000, which is neither negative nor possible', () => {
    const decoder = new FrameDecoder();
    assert.throws(() => [...decoder.push(Uint8Array.of(1, 0, 0, 0, 0x80, 0, 0, 0))], {
      kind: 'invalid-argument',
      message: /2147483648 bytes/,
    });
  });

  it('refuses an unknown stream', () => {
    assert.throws(
      () => [...new FrameDecoder().push(new TextEncoder().encode('plain text'))],
      /Unrecognized input header: 112/,
    );
  });

  it('says so when the stream ends inside a header or a payload, and only then', () => {
    const bytes = encodeFrame('stdout', new Uint8Array(3));
    for (let length = 0; length <= bytes.length; length += 1) {
      const decoder = new FrameDecoder();
      for (const _ of decoder.push(bytes.subarray(0, length)));
      if (length === 0 || length === bytes.length) decoder.end();
      else assert.throws(() => decoder.end(), { kind: 'unavailable' });
    }
  });

  it('reads 200,000 two-byte frames in one write at once', () => {
    const one = encodeFrame('stdout', Uint8Array.of(65, 66));
    const bytes = Buffer.concat(Array.from({ length: 200_000 }, () => one));
    const began = performance.now();
    let total = 0;
    for (const chunk of new FrameDecoder().push(bytes)) total += chunk.bytes.length;
    assert.equal(total, 400_000);
    assert.ok(performance.now() - began < 1000);
  });

  it('reads a 32 MB frame in 16 KB pieces in less than 100 ms', () => {
    const payload = new Uint8Array(32 * 1024 * 1024);
    const decoder = new FrameDecoder();
    for (const _ of decoder.push(encodeFrameHeader('stdout', payload.length)));
    const began = performance.now();
    let total = 0;
    for (let at = 0; at < payload.length; at += 16_384) {
      for (const chunk of decoder.push(payload.subarray(at, at + 16_384))) total += chunk.bytes.length;
    }
    decoder.end();
    assert.equal(total, payload.length);
    assert.ok(performance.now() - began < 100);
  });
});
