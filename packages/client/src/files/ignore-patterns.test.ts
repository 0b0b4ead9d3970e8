import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseIgnorePatterns } from './ignore-patterns.ts';

describe('parseIgnorePatterns', () => {
  // From the tables of moby/patternmatcher, and of the documentation.
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['a', 'a', true],
    ['a', 'a/b', true],
    ['a', 'b/a', false],
    ['/a', 'a', true],
    ['./a/', 'a/b', true],
    ['*.go', 'x.go', true],
    ['*.go', 'd/x.go', false],
    ['*/*.go', 'd/x.go', true],
    ['**/*.go', 'x.go', true],
    ['**/*.go', 'd/e/x.go', true],
    ['**', 'anything/at/all', true],
    ['**/', 'dir/file', true],
    ['a/**', 'a', false],
    ['a/**', 'a/b/c', true],
    ['a/**/b', 'a/b', true],
    ['a/**/b', 'a/x/y/b', true],
    ['abc.def', 'abcZdef', false],
    ['a?c', 'abc', true],
    ['a?c', 'a/c', false],
    ['[a-c]x', 'bx', true],
    ['[^a-c]x', 'bx', false],
    ['a\\*b', 'a*b', true],
    ['a\\*b', 'axb', false],
    ['a(b)+', 'a(b)+', true],
    ['ü*', 'übung', true],
    ['node_modules', 'src/node_modules', false],
    ['**/node_modules', 'src/node_modules/x.js', true],
    ['# a', '# a', false],
    ['a/../b', 'b', true],
  ];
  for (const [pattern, path, ignored] of cases) {
    it(`${JSON.stringify(pattern)} ${ignored ? 'matches' : 'does not match'} ${path}`, () => {
      assert.equal(parseIgnorePatterns([pattern]).ignores(path), ignored);
    });
  }

  it('lets the last line that matches decide', () => {
    const patterns = parseIgnorePatterns(['*.md', '!README*.md', 'README-secret.md', '', '  # no comment']);
    assert.deepEqual(
      ['x.md', 'README.md', 'README-secret.md', 'y'].map((path) => patterns.ignores(path)),
      [true, false, true, false],
    );
  });

  it('looks into an ignored directory only when something in it may be wanted', () => {
    assert.equal(parseIgnorePatterns(['a', 'b']).mayPrune, true);
    const excepting = parseIgnorePatterns(['a', '!a/b']);
    assert.deepEqual([excepting.mayPrune, excepting.ignores('a'), excepting.ignores('a/b')], [false, true, false]);
  });

  it('refuses what is no pattern', () => {
    assert.throws(() => parseIgnorePatterns(['a[b']), /syntax error/);
  });
});
