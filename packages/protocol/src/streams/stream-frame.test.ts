import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { encodeFrame, encodeFrameHeader, FrameDecoder, type FrameStream } from './stream-frame.ts';

const streams: readonly FrameStream[] = ['stdin', 'stdout', 'stderr', 'system-error'];
const frame = fc.record({ stream: fc.constantFrom(...streams), payload: fc.uint8Array({ maxLength: 40 }) });

/** The text of each run of one stream, however it was cut. */
function read(pieces: Iterable<Uint8Array>, gather = false): { stream: FrameStream; bytes: number[] }[] {
  const decoder = new FrameDecoder({ gather });
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
        assert.deepEqual(read(cut(bytes, sizes), true), whole);
        assert.deepEqual(read([bytes], true), whole);
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
    assert.deepEqual(chunk, { stream: 'stderr', bytes: Uint8Array.of(7), begins: true });
    assert.deepEqual([...encodeFrameHeader('stderr', 258)], [2, 0, 0, 0, 0, 0, 1, 2]);
  });

  it('copies nothing', () => {
    const bytes = encodeFrame('stdout', new Uint8Array(5));
    for (const chunk of new FrameDecoder().push(bytes)) assert.equal(chunk.bytes.buffer, bytes.buffer);
  });

  it('gathers small frames of one stream, up to the next of another or a large one, and leaves the input as it was', () => {
    const small = (stream: FrameStream, text: string): Uint8Array => encodeFrame(stream, Buffer.from(text));
    const large = encodeFrame('stdout', new Uint8Array(5_000));
    const bytes = Buffer.concat([
      ...[small('stdout', 'ab'), small('stdout', 'c'), small('stderr', 'd'), large],
      ...[small('stdout', 'e'), small('stdout', 'f'.repeat(100))],
    ]);
    const before = Buffer.from(bytes);
    const found = new FrameDecoder({ gather: true }).push(bytes);
    assert.deepEqual(
      found.map((chunk) => `${chunk.stream} ${chunk.bytes.length}`),
      ['stdout 3', 'stderr 1', 'stdout 5000', 'stdout 101'],
    );
    assert.equal(Buffer.from(found[3]?.bytes ?? []).toString(), `e${'f'.repeat(100)}`);
    assert.equal(found[2]?.bytes.buffer, bytes.buffer);
    assert.deepEqual(bytes, before);
  });

  it('tells where a frame begins, which a log record does', () => {
    const bytes = Buffer.concat([encodeFrame('stdout', Buffer.from('abcd')), encodeFrame('stdout', Buffer.from('e'))]);
    const decoder = new FrameDecoder();
    const pieces = [bytes.subarray(0, 10), bytes.subarray(10)];
    assert.deepEqual(
      pieces.flatMap((piece) => decoder.push(piece)).map(({ begins, bytes: { length } }) => [begins, length]),
      [
        [true, 2],
        [false, 2],
        [true, 1],
      ],
    );
  });

  it('hands out what came before a header it refuses', () => {
    const decoder = new FrameDecoder();
    const good = encodeFrame('stdout', Buffer.from('last words'));
    const found = decoder.push(Buffer.concat([good, Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 1)]));
    assert.equal(found.length, 1);
    assert.throws(() => decoder.push(good), /Unrecognized input header: 9/);
    assert.throws(() => decoder.end(), /Unrecognized input header: 9/);
  });

  it('refuses a length of 0x80000000, which is neither negative nor possible', () => {
    const decoder = new FrameDecoder();
    assert.throws(() => decoder.push(Uint8Array.of(1, 0, 0, 0, 0x80, 0, 0, 0)), {
      kind: 'invalid-argument',
      message: /2147483648 bytes/,
    });
  });

  it('refuses an unknown stream', () => {
    assert.throws(
      () => new FrameDecoder().push(new TextEncoder().encode('plain text')),
      /Unrecognized input header: 112/,
    );
  });

  it('says so when the stream ends inside a header or a payload, and only then', () => {
    const bytes = encodeFrame('stdout', new Uint8Array(3));
    for (let length = 0; length <= bytes.length; length += 1) {
      const decoder = new FrameDecoder();
      decoder.push(bytes.subarray(0, length));
      if (length === 0 || length === bytes.length) decoder.end();
      else assert.throws(() => decoder.end(), { kind: 'unavailable' });
    }
  });

  it('reads 200,000 two-byte frames in one write, and gathers them into one chunk', () => {
    const one = encodeFrame('stdout', Uint8Array.of(65, 66));
    const bytes = Buffer.concat(Array.from({ length: 200_000 }, () => one));
    const count = (gather: boolean): readonly number[] => {
      const found = new FrameDecoder({ gather }).push(bytes);
      return [found.length, found.reduce((total, chunk) => total + chunk.bytes.length, 0)];
    };
    assert.deepEqual(
      [count(false), count(true)],
      [
        [200_000, 400_000],
        [1, 400_000],
      ],
    );
  });

  it('reads a 32 MB frame in 16 KB pieces without a copy, and so in less time than one copy of it takes', () => {
    const payload = new Uint8Array(32 * 1024 * 1024).fill(1);
    const pieces = Array.from({ length: payload.length / 16_384 }, (_, at) =>
      payload.subarray(at * 16_384, (at + 1) * 16_384),
    );
    const decode = (): void => {
      const decoder = new FrameDecoder();
      decoder.push(encodeFrameHeader('stdout', payload.length));
      let total = 0;
      for (const piece of pieces) for (const chunk of decoder.push(piece)) total += chunk.bytes.length;
      decoder.end();
      assert.equal(total, payload.length);
    };
    const copied = fastest(() => void Buffer.concat(pieces));
    const decoded = fastest(decode);
    assert.ok(decoded < copied, `decoded in ${decoded} ms, copied in ${copied} ms`);
  });
});

/** Of several runs, because others use the machine as well. */
function fastest(run: () => void): number {
  const times = Array.from({ length: 9 }, () => {
    const began = performance.now();
    run();
    return performance.now() - began;
  });
  return Math.min(...times);
}
