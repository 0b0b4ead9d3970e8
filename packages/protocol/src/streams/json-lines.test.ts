import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { encodeJsonLine, JSON_LINE_CHARS_MAX, JsonLineDecoder } from './json-lines.ts';

function read(pieces: readonly Uint8Array[]): unknown[] {
  const decoder = new JsonLineDecoder();
  const documents = pieces.flatMap((piece) => [...decoder.push(piece)]);
  const last = decoder.end();
  return last === undefined ? documents : [...documents, last];
}

describe('JsonLineDecoder', () => {
  it('gives back what was encoded, in any chunking, also within a character', () => {
    const ending = fc.constantFrom('\n' as const, '\r\n' as const);
    const document = fc.object({ withNullPrototype: false }).map((value): unknown => JSON.parse(JSON.stringify(value)));
    fc.assert(
      fc.property(fc.array(document), ending, fc.integer({ min: 1, max: 7 }), (documents, end, size) => {
        const bytes = Buffer.from(documents.map((value) => encodeJsonLine(value, end)).join(''));
        const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
          bytes.subarray(i * size, (i + 1) * size),
        );
        assert.deepEqual(read(pieces), documents);
      }),
      { numRuns: 50 },
    );
  });

  it('puts a character together that was cut in two', () => {
    const bytes = Buffer.from('{"a":"ü€😀"}\n');
    assert.deepEqual(read([...bytes].map((byte) => Uint8Array.of(byte))), [{ a: 'ü€😀' }]);
  });

  it('takes a last line without its end', () =>
    assert.deepEqual(read([Buffer.from('\r\n{"a":1}\n\n{"b":2}')]), [{ a: 1 }, { b: 2 }]));

  it('says so when the last line was cut off', () => {
    assert.throws(() => read([Buffer.from('{"a":1}\n{"b"')]), { kind: 'unavailable' });
  });

  it('refuses what is not JSON, and lines without end', () => {
    assert.throws(() => read([Buffer.from('nonsense\n')]), { kind: 'invalid-argument' });
    const decoder = new JsonLineDecoder();
    const half = Buffer.alloc(JSON_LINE_CHARS_MAX, 'x');
    assert.throws(() => [...decoder.push(half), ...decoder.push(half)], { kind: 'too-large' });
  });
});
