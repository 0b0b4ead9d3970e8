import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isEngineError } from '../errors.ts';
import {
  CHANNEL_CHARACTERS,
  decodeFrame,
  decodeSessionFrame,
  encodeFrame,
  encodeSessionFrame,
  frontOfFrame,
  SESSION_FRAME_BYTES_MAX,
  type SessionFrame,
  SessionFrameReader,
} from './session-frame.ts';

/** Nobody gets to the last ones. */
const offset = fc.maxSafeNat().map((one) => Math.min(one, Number.MAX_SAFE_INTEGER - 1_000));
const frame: fc.Arbitrary<SessionFrame> = fc.oneof(
  fc.record({
    kind: fc.constant('bytes' as const),
    stream: fc.constantFrom(0 as const, 1 as const, 2 as const),
    offset,
    bytes: fc.uint8Array({ maxLength: 300 }),
  }),
  fc.record({ kind: fc.constant('credit' as const), offset, limit: fc.maxSafeNat() }),
  fc.record({ kind: fc.constant('half-close' as const), offset }),
  fc.record({ kind: fc.constant('skipped' as const), offset, count: fc.maxSafeNat() }),
  fc.record({ kind: fc.constant('resize' as const), id: offset, rows: fc.nat(0xffff), columns: fc.nat(0xffff) }),
  fc.record({ kind: fc.constant('signal' as const), id: offset, signal: fc.constantFrom('INT', 'SIGTERM', '9') }),
  fc.record({
    kind: fc.constant('answer' as const),
    id: offset,
    refusal: fc.option(fc.string({ maxLength: 50 })),
  }),
  fc.record({
    kind: fc.constant('exit' as const),
    offset,
    exitCode: fc.option(fc.nat(255)),
    reason: fc.string({ maxLength: 50 }),
  }),
  fc.record({ kind: fc.constant('close' as const), reason: fc.string({ maxLength: 50 }) }),
  fc.constant({ kind: 'ping' as const }),
);

describe('SessionFrame', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(frame, (one) => assert.deepEqual(plain(decodeSessionFrame(encodeSessionFrame(one))), plain(one))),
    );
  });

  for (const [where, characters] of [
    ['a byte stream', 0],
    ['a trunk', CHANNEL_CHARACTERS],
  ] as const) {
    it(`comes out of ${where} in order, however that was cut; only bytes come in parts`, () => {
      const name = fc.string({ unit: fc.constantFrom('a', 'b', '2'), minLength: characters, maxLength: characters });
      fc.assert(
        fc.property(
          fc.array(fc.tuple(name, frame), { maxLength: 8 }),
          fc.infiniteStream(fc.integer({ min: 1, max: 90 })),
          (sent, cuts) => {
            const stream = Buffer.concat(
              sent.flatMap(([channel, one]) => {
                const encoded = encodeFrame(one);
                return [frontOfFrame(encoded, channel), encoded.payload];
              }),
            );
            const reader = new SessionFrameReader(characters);
            const found: [string, SessionFrame][] = [];
            for (let at = 0; at < stream.length;) {
              const size = cuts.next().value ?? 1;
              const part = stream.subarray(at, at + size);
              for (const one of reader.push(part)) found.push([one.channel, decodeFrame(one)]);
              at += size;
            }
            assert.deepEqual(inOne(found), inOne(sent));
          },
        ),
      );
    });
  }

  it('refuses whatever else comes, in words and without a crash', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          decodeSessionFrame(bytes);
        } catch (error) {
          assert.ok(isEngineError(error) && error.kind === 'invalid-argument', String(error));
        }
      }),
    );
    for (const length of [9, SESSION_FRAME_BYTES_MAX + 1]) {
      const front = Buffer.alloc(14);
      front.writeUInt32BE(length);
      assert.throws(() => [...new SessionFrameReader().push(front)], /not a frame/);
    }
    assert.throws(
      () => encodeSessionFrame({ kind: 'bytes', stream: 1, offset: 0, bytes: new Uint8Array(SESSION_FRAME_BYTES_MAX) }),
      /may hold/,
    );
  });
});

function plain(one: SessionFrame): unknown {
  return one.kind === 'bytes' ? { ...one, bytes: [...one.bytes] } : { ...one };
}

/** Bytes that follow each other on the same channel as one frame, the rest as it is. */
function inOne(frames: readonly (readonly [string, SessionFrame])[]): readonly unknown[] {
  const merged: [string, SessionFrame][] = [];
  for (const [channel, one] of frames) {
    const [lastChannel, last] = merged.at(-1) ?? [];
    const goesOn =
      one.kind === 'bytes' &&
      last?.kind === 'bytes' &&
      channel === lastChannel &&
      one.stream === last.stream &&
      one.offset === last.offset + last.bytes.length;
    if (goesOn) merged[merged.length - 1] = [channel, { ...last, bytes: Buffer.concat([last.bytes, one.bytes]) }];
    else merged.push([channel, one]);
  }
  return merged.map(([channel, one]) => [channel, plain(one)]);
}
