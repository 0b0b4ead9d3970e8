import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { DetachKeyMatcher, parseDetachKeys } from './detach-keys.ts';

/** What a process would have read, and whether the keys were found. */
function type(keys: Uint8Array, pieces: readonly Uint8Array[]): { read: number[]; detached: boolean } {
  const matcher = new DetachKeyMatcher(keys);
  const read: number[] = [];
  for (const piece of pieces) {
    const match = matcher.push(piece);
    for (const bytes of match.pass) read.push(...bytes);
    if (match.detached) return { read, detached: true };
  }
  read.push(...matcher.end());
  return { read, detached: false };
}

describe('DetachKeyMatcher', () => {
  const keys = parseDetachKeys('');
  const cases: readonly (readonly [string, readonly (readonly number[])[], readonly number[], boolean])[] = [
    ['finds keys in one piece', [[16, 17]], [], true],
    ['finds keys in two pieces', [[16], [17]], [], true],
    [
      'passes on what came before',
      [
        [97, 16],
        [17, 98],
      ],
      [97],
      true,
    ],
    ['withholds a start and passes it on when it is broken', [[16], [97]], [16, 97], false],
    ['finds keys behind a false start', [[16], [16], [17]], [16], true],
    ['passes on a start at the end of the input', [[97, 16]], [97, 16], false],
  ];
  for (const [fact, pieces, read, detached] of cases) {
    it(fact, () =>
      assert.deepEqual(
        type(
          keys,
          pieces.map((p) => Uint8Array.from(p)),
        ),
        { read, detached },
      ),
    );
  }

  it('withholds nothing but a start of the keys', () => {
    const matcher = new DetachKeyMatcher(keys);
    assert.deepEqual(matcher.push(Uint8Array.of(97, 16)).pass, [Uint8Array.of(97)]);
    assert.deepEqual(matcher.push(Uint8Array.of(98)).pass, [Uint8Array.of(16), Uint8Array.of(98)]);
  });

  it('agrees with a search over the whole input, for any keys and any chunking', () => {
    const few = fc.uint8Array({ min: 1, max: 3, minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(few, fc.array(fc.uint8Array({ min: 1, max: 3, maxLength: 6 })), (sequence, pieces) => {
        const input = Buffer.concat(pieces);
        const found = input.indexOf(Buffer.from(sequence));
        const expected = { read: [...(found < 0 ? input : input.subarray(0, found))], detached: found >= 0 };
        assert.deepEqual(type(sequence, pieces), expected);
      }),
      { numRuns: 500 },
    );
  });
});

describe('parseDetachKeys', () => {
  const cases: readonly (readonly [string, readonly number[]])[] = [
    ['', [16, 17]],
    ['ctrl-a', [1]],
    ['ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_', [0, 27, 28, 29, 30, 31]],
    ['a,DEL,ctrl-z', [97, 127, 26]],
  ];
  for (const [spec, bytes] of cases)
    it(`reads ${spec || 'nothing as the default'}`, () => assert.deepEqual([...parseDetachKeys(spec)], bytes));

  for (const spec of [
    'bogus-key',
    'ctrl-A',
    'ctrl-p,',
    ',',
    'ctrl-',
    'ä',
    Array.from({ length: 33 }, () => 'a').join(','),
  ]) {
    it(`refuses ${spec.slice(0, 12)}`, () => {
      const message = `Invalid escape keys (${spec}) provided`;
      assert.throws(() => parseDetachKeys(spec, 'escape'), { kind: 'invalid-argument', message });
    });
  }
});
