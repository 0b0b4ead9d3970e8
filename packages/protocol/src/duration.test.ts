import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { formatGoDuration, humanDuration, parseGoDuration } from './duration.ts';

const S = 1000;
const M = 60 * S;
const H = 60 * M;
const D = 24 * H;

describe('Go durations', () => {
  const cases: readonly (readonly [string, number])[] = [
    ['0', 0],
    ['10s', 10_000],
    ['1h2m3.5s', 3_723_500],
    ['300ms', 300],
    ['-1.5h', -5_400_000],
    ['1us', 0.001],
    ['2ns', 0.000_002],
    ['.5s', 500],
    ['+3m', 180_000],
  ];
  for (const [text, ms] of cases) it(`reads ${text}`, () => assert.equal(parseGoDuration(text), ms));

  const refusals: readonly (readonly [string, string])[] = [
    ['', 'time: invalid duration ""'],
    ['x', 'time: invalid duration "x"'],
    ['3', 'time: missing unit in duration "3"'],
    ['1d', 'time: unknown unit "d" in duration "1d"'],
    ['1s!', 'time: unknown unit "s!" in duration "1s!"'],
    ['-', 'time: invalid duration "-"'],
  ];
  for (const [text, message] of refusals) {
    it(`refuses ${JSON.stringify(text)}`, () =>
      assert.throws(() => parseGoDuration(text), { kind: 'invalid-argument', message }));
  }

  it('prints as Go does', () => {
    assert.deepEqual([0, 0.000_002, 0.0015, 1.5, 999, 1000, 90_000, 3_723_500, 7_200_000, -300].map(formatGoDuration), [
      '0s',
      '2ns',
      '1.5µs',
      '1.5ms',
      '999ms',
      '1s',
      '1m30s',
      '1h2m3.5s',
      '2h0m0s',
      '-300ms',
    ]);
  });

  it('reads back what it prints', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e12, max: 1e12 }), (ms) =>
        assert.equal(parseGoDuration(formatGoDuration(ms)), ms),
      ),
    );
  });
});

describe('humanDuration', () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, 'Less than a second'],
    [999, 'Less than a second'],
    [S, '1 second'],
    [59 * S, '59 seconds'],
    [M, 'About a minute'],
    [2 * M - 1, 'About a minute'],
    [2 * M, '2 minutes'],
    [H - 1, '59 minutes'],
    [H, 'About an hour'],
    [1.5 * H, '2 hours'],
    [47 * H, '47 hours'],
    [2 * D, '2 days'],
    [13 * D, '13 days'],
    [14 * D, '2 weeks'],
    [59 * D, '8 weeks'],
    [60 * D, '2 months'],
    [729 * D, '24 months'],
    [730 * D, '2 years'],
  ];
  for (const [ms, text] of cases) it(`calls ${ms} ms “${text}”`, () => assert.equal(humanDuration(ms), text));
});
