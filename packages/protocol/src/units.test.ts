import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { humanMemory, humanSize, parseHumanSize, parseMemory } from './units.ts';

describe('sizes', () => {
  it('are printed in steps of 1000 as docker prints them', () => {
    assert.deepEqual(
      [0, 999, 1000, 1_982_475, 4_100_000, 72_000_000, 1_000_000_000, 999_999].map((bytes) => humanSize(bytes)),
      ['0B', '999B', '1kB', '1.98MB', '4.1MB', '72MB', '1GB', '1e+03kB'],
    );
    assert.deepEqual([humanSize(3_010_560, 4), humanSize(32_768, 4)], ['3.011MB', '32.77kB']);
  });

  it('are printed in steps of 1024 for memory', () => {
    assert.deepEqual([1023, 1024, 64 * 1024 ** 2, 1.5 * 1024 ** 3].map(humanMemory), [
      '1023B',
      '1KiB',
      '64MiB',
      '1.5GiB',
    ]);
  });

  const cases: readonly (readonly [string, number])[] = [
    ['512', 512],
    ['512b', 512],
    ['64m', 64 * 1024 ** 2],
    ['64M', 64 * 1024 ** 2],
    ['64mb', 64 * 1024 ** 2],
    ['64MiB', 64 * 1024 ** 2],
    ['64 mb', 64 * 1024 ** 2],
    ['1.5g', 1.5 * 1024 ** 3],
    ['.5k', 512],
  ];
  for (const [text, bytes] of cases) it(`reads ${text} of memory`, () => assert.equal(parseMemory(text), bytes));

  it('are read in steps of 1000 where Docker does', () => assert.equal(parseHumanSize('10MB'), 10_000_000));

  for (const text of ['', 'm', '-1m', '1x', '1mbb', '1 2', '1bb', '1,5m']) {
    it(`refuses ${JSON.stringify(text)}`, () =>
      assert.throws(() => parseMemory(text), { message: /^invalid (size|suffix): / }));
  }
});
