import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isEngineError } from '../errors.ts';
import {
  decodeSessionFrame,
  encodeSessionFrame,
  lengthOfFrame,
  SESSION_FRAME_BYTES_MAX,
  type SessionFrame,
  SessionFrameSplitter,
} from './session-frame.ts';

const offset = fc.maxSafeNat();
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

  it('comes whole out of a byte stream, however that was cut', () => {
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 8 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 40 })),
        (frames, cuts) => {
          const stream = Buffer.concat(frames.map(encodeSessionFrame).flatMap((one) => [lengthOfFrame(one), one]));
          const reader = new SessionFrameSplitter();
          const found: unknown[] = [];
          for (let at = 0; at < stream.length;) {
            const size = cuts.next().value ?? 1;
            for (const one of reader.push(stream.subarray(at, at + size))) found.push(plain(decodeSessionFrame(one)));
            at += size;
          }
          assert.deepEqual(found, frames.map(plain));
        },
      ),
    );
  });

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
    const huge = Buffer.alloc(8);
    huge.writeUInt32BE(SESSION_FRAME_BYTES_MAX + 1);
    assert.throws(() => [...new SessionFrameSplitter().push(huge)], /not a frame/);
    assert.throws(
      () => encodeSessionFrame({ kind: 'bytes', stream: 1, offset: 0, bytes: new Uint8Array(SESSION_FRAME_BYTES_MAX) }),
      /may hold/,
    );
  });
});

function plain(one: SessionFrame): unknown {
  return one.kind === 'bytes' ? { ...one, bytes: [...one.bytes] } : { ...one };
}
