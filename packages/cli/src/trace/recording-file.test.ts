import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeEvent, encodeEvent } from './recording-file.ts';
import { HIJACKED, requestOf, scriptedEvents, UPGRADE } from './scripted-events.fixture.ts';
import type { TraceEvent } from './trace-event.ts';

const events: readonly TraceEvent[] = scriptedEvents([
  { atMs: 1, side: 'client', bytes: requestOf('POST /containers/web/attach?stdin=1', { a: 1 }, ...UPGRADE) },
  { atMs: 2, side: 'engine', bytes: HIJACKED },
  { atMs: 3, side: 'client', bytes: '\x10\x11' },
  { atMs: 400, side: 'engine', bytes: '\x01\0\0\0\0\0\0\x09abc' },
  { atMs: 500, side: 'engine', end: 'close' },
  { atMs: 600, side: 'client', bytes: 'x', connection: 2 },
  { event: { type: 'connect-failed', connection: 3, errno: 'ENOENT', message: 'no', atMs: 1 } },
  { event: { type: 'unparsable', connection: 3, side: 'client', why: 'x', atMs: 1 } },
  {
    event: { type: 'look', exchange: 1, when: 'asked', ref: 'web', killConfirmMs: 1, fate: { known: 'gone' }, atMs: 1 },
  },
  { event: { type: 'exec-look', exchange: 1, exec: 'x', exitCode: null, atMs: 1 } },
  { event: { type: 'finish', exitCode: null, interrupted: false, openConnections: 0, atMs: 9 } },
]);

describe('decodeEvent', () => {
  it('reads what encodeEvent wrote', () => {
    const lines = events.map(encodeEvent);
    assert.deepEqual(
      lines.map((line, at) => decodeEvent(line, at + 1)),
      events,
    );
    assert.ok(new Set(events.map(({ type }) => type)).size >= 12, 'nearly every kind of event is among them');
  });

  it('skips empty lines, and events of a newer program', () => {
    assert.equal(decodeEvent('\n', 2), undefined);
    assert.equal(decodeEvent('{"type":"telepathy","atMs":1}', 2), undefined);
  });

  const refused: readonly { line: string; number: number; why: RegExp }[] = [
    { line: '{', number: 1, why: /line 1 .* it is not JSON/ },
    { line: '{"type":"connect","connection":1,"atMs":1}', number: 1, why: /does not begin a fairlead-trace\/1/ },
    { line: '[]', number: 2, why: /it is no event/ },
    { line: '{"type":"connect","atMs":1}', number: 2, why: /not a whole event of the type connect/ },
    {
      line: '{"type":"answer","atMs":1,"connection":1,"exchange":1,"status":200,"reason":"","headers":[["a"]]}',
      number: 2,
      why: /not a whole event/,
    },
    {
      line: '{"type":"constructor","atMs":1}'.replace('constructor', 'begin'),
      number: 3,
      why: /not a whole event of the type begin/,
    },
  ];
  for (const { line, number, why } of refused) {
    it(`refuses ${line.slice(0, 50)} as line ${number}`, () => assert.throws(() => decodeEvent(line, number), why));
  }
});
