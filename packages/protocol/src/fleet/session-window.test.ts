import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { SESSION_CREDIT_BYTES_FIRST, SESSION_CREDIT_BYTES_MAX } from './session.ts';
import type { SessionFrame } from './session-frame.ts';
import { SessionRing } from './session-ring.ts';
import { SessionReceiver, SessionSender } from './session-window.ts';

describe('SessionRing', () => {
  it('gives every byte back at its offset, of its stream, until it is discarded', () => {
    const step = fc.record({
      bytes: fc.uint8Array({ maxLength: 6000 }),
      stream: fc.constantFrom(1 as const, 2 as const),
      keep: fc.nat(9000),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const ring = new SessionRing();
        const model: (readonly [number, number])[] = [];
        for (const { bytes, stream, keep } of steps) {
          ring.append(stream, bytes);
          for (const byte of bytes) model.push([stream, byte]);
          if (keep < model.length) ring.discardBefore(model.length - keep);
          assert.equal(ring.end, model.length);
          for (let at = ring.begin; at < ring.end;) {
            const piece = ring.read(at, 777);
            assert.ok(piece !== undefined && piece.offset === at && piece.bytes.length > 0);
            for (const byte of piece.bytes) assert.deepEqual(model[at++], [piece.stream, byte]);
          }
        }
        assert.equal(ring.read(ring.end, 1), undefined);
        assert.equal(ring.begin === 0 ? undefined : ring.read(ring.begin - 1, 1), undefined);
      }),
      { numRuns: 50 },
    );
  });
});

describe('SessionSender and SessionReceiver', () => {
  it('carry everything once and in order over channels that break anywhere', () => {
    const plan = fc.array(fc.record({ write: fc.nat(90_000), deliver: fc.nat(8), breaks: fc.boolean() }), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(plan, (steps) => {
        const ring = new SessionRing();
        const receiver = new SessionReceiver();
        let [wire, written, got]: [SessionFrame[], number, number] = [[], 0, 0];
        const open = (): SessionSender => {
          wire = [];
          const first = receiver.grant();
          assert.ok(first.kind === 'credit');
          ring.discardBefore(first.offset);
          const sender = new SessionSender(ring, { offset: first.offset, send: (frame) => wire.push(frame) });
          sender.credit(first.limit);
          return sender;
        };
        let sender = open();
        const deliver = (): void => {
          const frame = wire.shift();
          if (frame?.kind !== 'bytes') return;
          const fresh = receiver.take(frame.offset, frame.bytes);
          for (const byte of fresh ?? []) assert.equal(byte, got++ % 251);
          const credit = fresh === undefined ? undefined : receiver.consume(fresh.length);
          if (credit?.kind === 'credit') sender.credit(credit.limit);
        };
        for (const { write, deliver: count, breaks } of steps) {
          ring.append(
            1,
            Uint8Array.from({ length: write }, (_, at) => (written + at) % 251),
          );
          written += write;
          sender.pump();
          for (let n = 0; n < count; n += 1) deliver();
          if (breaks) sender = open();
        }
        sender.pump();
        while (wire.length > 0) {
          deliver();
          sender.pump();
        }
        assert.equal(got, written);
      }),
      { numRuns: 30 },
    );
  });

  it('keep no more on the way than was granted, and widen the window for who keeps up', () => {
    const ring = new SessionRing();
    const receiver = new SessionReceiver();
    let sent = 0;
    const sender = new SessionSender(ring, {
      offset: 0,
      send: (frame) => void (sent += frame.kind === 'bytes' ? frame.bytes.length : 0),
    });
    const granted = (frame: SessionFrame | undefined): void => {
      if (frame?.kind === 'credit') sender.credit(frame.limit);
    };
    granted(receiver.grant());
    ring.append(1, new Uint8Array(64 * 1024 * 1024));
    sender.pump();
    assert.equal(sent, SESSION_CREDIT_BYTES_FIRST);
    for (let round = 0; round < 12; round += 1) {
      const arrived = sent - receiver.received;
      receiver.take(receiver.received, new Uint8Array(arrived));
      granted(receiver.consume(arrived));
      sender.pump();
    }
    assert.equal(sent - receiver.received, SESSION_CREDIT_BYTES_MAX);
  });

  it('tell what the ring no longer had', () => {
    const ring = new SessionRing();
    ring.append(1, new Uint8Array(10_000));
    ring.discardBefore(9_000);
    const frames: SessionFrame[] = [];
    const sender = new SessionSender(ring, { offset: 100, send: (frame) => frames.push(frame) });
    sender.credit(SESSION_CREDIT_BYTES_FIRST);
    sender.pump();
    assert.deepEqual(frames[0], { kind: 'skipped', offset: 100, count: 8_900 });
    const receiver = new SessionReceiver(100);
    receiver.grant();
    receiver.skip(100, 8_900);
    assert.equal(receiver.received, 9_000);
  });

  it('refuse a gap and more than was granted', () => {
    const receiver = new SessionReceiver();
    receiver.grant();
    assert.throws(() => receiver.take(1, new Uint8Array(1)), /missing/);
    assert.throws(() => receiver.take(0, new Uint8Array(SESSION_CREDIT_BYTES_FIRST + 1)), /granted/);
  });
});
