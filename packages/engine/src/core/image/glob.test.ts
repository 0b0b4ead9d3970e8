import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { globPattern } from './glob.ts';

describe('globPattern', () => {
  // Source: go/src/path/match_test.go, where they do not concern what only it has.
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['abc', 'abc', true],
    ['*', 'abc', true],
    ['*c', 'abc', true],
    ['a*', 'ab/c', false],
    ['a*/b', 'abc/b', true],
    ['a*b*c*d*e*/f', 'axbxcxdxexxx/f', true],
    ['a*b?c*x', 'abxbbxdbxebxczzx', true],
    ['a*b?c*x', 'abxbbxdbxebxczzy', false],
    ['ab[c]', 'abc', true],
    ['ab[b-d]', 'abc', true],
    ['ab[e-g]', 'abc', false],
    ['ab[^c]', 'abc', false],
    ['ab[^b-d]', 'abz', true],
    [String.raw`a\*b`, 'a*b', true],
    [String.raw`a\*b`, 'ab', false],
    ['a?b', 'a☺b', true],
    ['a[^a]b', 'a☺b', true],
    [String.raw`[\]a]`, ']', true],
    [String.raw`[x\-]`, '-', true],
    [String.raw`[x\-]`, 'z', false],
    ['a.b', 'axb', false],
    ['a???b', 'a/b', false],
  ];
  for (const [pattern, text, matches] of cases) {
    it(`${pattern} ${matches ? 'matches' : 'does not match'} ${text}`, () => {
      assert.equal(globPattern(pattern).test(text), matches);
    });
  }

  for (const pattern of ['[', '[^', '[]a]', 'a[', String.raw`a\ `.trim(), '[b-a]']) {
    it(`refuses ${pattern}`, () => {
      assert.throws(() => globPattern(pattern), { kind: 'invalid-argument', message: 'syntax error in pattern' });
    });
  }

  it('means every text itself when all that is special is escaped', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const escaped = text.replaceAll(/[*?[\]\\]/g, String.raw`\$&`);
        assert.ok(globPattern(escaped).test(text));
      }),
    );
  });
});
