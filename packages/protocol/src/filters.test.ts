import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertFilterKeys, booleanFilter, encodeFilters, matchesLabels, parseFilters } from './filters.ts';

describe('parseFilters', () => {
  const cases: readonly (readonly [string, readonly (readonly [string, readonly string[]])[]])[] = [
    ['{"name":["a","b"]}', [['name', ['a', 'b']]]],
    ['{"name":{"a":true,"b":false}}', [['name', ['a', 'b']]]],
    ['{"name":{"__proto__":true}}', [['name', ['__proto__']]]],
    ['', []],
    ['null', []],
    ['{}', []],
    ['{"name":[]}', []],
    ['{"name":{}}', []],
    ['{"name":null}', []],
  ];
  for (const [text, entries] of cases)
    it(`reads ${text || 'nothing'}`, () => assert.deepEqual([...parseFilters(text)], entries));

  for (const text of ['{"name":"a"}', '[]', '"a"', '1', '{', '{"name":[1]}', '{"name":{"a":1}}']) {
    it(`refuses ${text}`, () =>
      assert.throws(() => parseFilters(text), { kind: 'invalid-argument', message: 'invalid filter' }));
  }

  it('reads back what it writes, also a key called __proto__', () => {
    const filters = new Map([
      ['label', ['a=b', '__proto__']],
      ['__proto__', ['x']],
    ]);
    assert.deepEqual(parseFilters(encodeFilters(filters)), filters);
    assert.equal(encodeFilters(new Map([['name', ['x']]])), '{"name":{"x":true}}');
  });
});

describe('what filters are asked', () => {
  it('refuses a key that is not known', () => {
    const message = "invalid filter 'nosuch'";
    assert.throws(
      () =>
        assertFilterKeys(
          new Map([
            ['name', ['a']],
            ['nosuch', ['b']],
          ]),
          ['name'],
        ),
      { message },
    );
  });

  it('reads booleans', () => {
    const dangling = (...values: string[]) => booleanFilter(new Map([['dangling', values]]), 'dangling');
    assert.deepEqual([dangling('true'), dangling('1'), dangling('False'), dangling('0')], [true, true, false, false]);
    assert.equal(booleanFilter(new Map(), 'dangling'), undefined);
    assert.throws(() => dangling('perhaps'), { kind: 'invalid-argument' });
    assert.throws(() => dangling('true', 'false'), { kind: 'invalid-argument' });
  });

  it('matches labels by key and by value, all of them', () => {
    const labels = { a: '1', b: '', c: 'x=y' };
    assert.deepEqual(
      [['a'], ['a=1'], ['a=2'], ['b='], ['c=x=y'], ['a', 'd'], ['toString'], undefined].map((wanted) =>
        matchesLabels(wanted, labels),
      ),
      [true, true, false, true, true, false, false, true],
    );
    assert.equal(matchesLabels(['a'], null), false);
  });
});
