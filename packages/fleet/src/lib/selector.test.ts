import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseSelector, selects } from './selector.ts';

describe('selects', () => {
  const labels = { role: 'web', zone: 'a', gpu: '' };
  const cases: readonly (readonly [string, boolean])[] = [
    ['', true],
    ['role=web', true],
    ['role==web', true],
    ['role=db', false],
    ['role=web,zone!=b', true],
    ['role=web,zone!=a', false],
    ['gpu', true],
    ['!gpu', false],
    ['!ssd', true],
    ['ssd!=x', true],
    ['toString', false],
  ];
  for (const [text, selected] of cases) {
    it(`${text === '' ? '(empty)' : text}: ${selected ? 'yes' : 'no'}`, () => {
      assert.equal(selects(parseSelector(text), labels), selected);
    });
  }
});

describe('parseSelector', () => {
  it('refuses what it does not understand', () => {
    for (const text of ['=web', '!role=web', 'a b', 'role=web,,=']) {
      assert.throws(() => parseSelector(text), { kind: 'invalid-argument' }, text);
    }
  });
});
