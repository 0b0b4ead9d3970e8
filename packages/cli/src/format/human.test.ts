import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { binarySize, ellipsis, goTime, humanDuration, humanSize, parseRamBytes } from './human.ts';

describe('humanDuration', () => {
  const second = 1000;
  const hour = 3600 * second;
  const cases = [
    [450, 'Less than a second'],
    [1 * second, '1 second'],
    [59.9 * second, '59 seconds'],
    [60 * second, 'About a minute'],
    [130 * second, '2 minutes'],
    [hour, 'About an hour'],
    [1.6 * hour, '2 hours'],
    [47 * hour, '47 hours'],
    [48 * hour, '2 days'],
    [15 * 24 * hour, '2 weeks'],
    [61 * 24 * hour, '2 months'],
    [731 * 24 * hour, '2 years'],
  ] as const;
  for (const [ms, words] of cases) it(`${ms} ms is ${words}`, () => assert.equal(humanDuration(ms), words));
});

describe('sizes', () => {
  it('counts image sizes in thousands', () => {
    assert.deepEqual([0, 999, 1986000, 4.5e9].map((n) => humanSize(n)), ['0B', '999B', '1.99MB', '4.5GB']);
  });
  it('counts memory in 1024s', () => assert.equal(binarySize(16_756_000_000), '15.61GiB'));
  const read = [
    ['512m', 536870912], ['1.5g', 1610612736], ['64MiB', 67108864], ['10', 10], ['3KB', 3072], ['1b', 1],
  ] as const;
  for (const [typed, bytes] of read) it(`reads ${typed}`, () => assert.equal(parseRamBytes(typed), bytes));
  it('refuses in Docker’s words', () => {
    assert.throws(() => parseRamBytes('1x'), { message: "invalid suffix: 'x'" });
    assert.throws(() => parseRamBytes('-1'), { message: "invalid size: '-1'" });
  });
});

describe('goTime', () => {
  it('prints as Go does', () => assert.equal(goTime(new Date(0)), '1970-01-01 00:00:00 +0000 UTC'));
});

describe('ellipsis', () => {
  it('cuts to the width, the mark included', () => {
    assert.equal(ellipsis('"sleep 1000 and more of it"', 20), '"sleep 1000 and mor…');
    assert.equal(ellipsis('"sh"', 20), '"sh"');
  });
});
