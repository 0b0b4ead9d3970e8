import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SESSION_CREDIT_BYTES_FIRST, type SessionFrame } from '@fairlead/protocol/fleet';
import type { SessionChannel } from './session-keeper.ts';
import { SessionViewer } from './session-viewer.ts';

describe('SessionViewer', () => {
  it('says at once that it may not type, when it only looks', async () => {
    const viewer = new SessionViewer();
    const { sent } = joined(viewer);
    await assert.rejects(viewer.write(Buffer.from('x')), { kind: 'forbidden', message: /only looks/ });
    await assert.rejects(viewer.write(Buffer.alloc(1_000_000)), { kind: 'forbidden' });
    assert.throws(() => viewer.endInput(), { kind: 'forbidden' });
    assert.deepEqual(typedIn(sent), '');
  });

  it('says so to a write that waits, when another one types from then on; and types again once it has come back', async () => {
    const viewer = new SessionViewer({ write: true });
    const first = joined(viewer);
    viewer.receive(first.channel, { kind: 'credit', offset: 0, limit: 2 });
    const waiting = viewer.write(Buffer.alloc(300_000, 'a'));
    viewer.receive(first.channel, { kind: 'close', reason: 'another viewer types now' });
    await assert.rejects(waiting, { kind: 'conflict', message: /another viewer types now/ });
    await assert.rejects(viewer.write(Buffer.from('b')), { kind: 'conflict' });
    viewer.lost(first.channel);
    const second = joined(viewer);
    // So much have both typed by now.
    viewer.receive(second.channel, { kind: 'credit', offset: 400_000, limit: 400_000 + SESSION_CREDIT_BYTES_FIRST });
    await viewer.write(Buffer.from('c'));
    const last = second.sent.at(-1);
    assert.deepEqual([last?.kind === 'bytes' && last.offset, typedIn(second.sent)], [400_000, 'c']);
  });

  it('types what it was given, whatever becomes of the memory', async () => {
    const viewer = new SessionViewer({ write: true });
    const { channel, sent } = joined(viewer);
    const memory = Buffer.alloc(10_000, 'a');
    await viewer.write(memory);
    memory.fill('b');
    viewer.receive(channel, { kind: 'credit', offset: 0, limit: SESSION_CREDIT_BYTES_FIRST });
    assert.equal(typedIn(sent), 'a'.repeat(10_000));
  });
});

/** A channel that the viewer is on, and what it says there. */
function joined(viewer: SessionViewer): { readonly channel: SessionChannel; readonly sent: SessionFrame[] } {
  const sent: SessionFrame[] = [];
  const channel = { send: (frame: SessionFrame): void => void sent.push(frame) };
  viewer.join(channel);
  return { channel, sent };
}

function typedIn(frames: readonly SessionFrame[]): string {
  return Buffer.concat(frames.flatMap((frame) => (frame.kind === 'bytes' ? [frame.bytes] : []))).toString();
}
