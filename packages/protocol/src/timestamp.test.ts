import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  dateFromNanos,
  formatDate,
  formatLogTimestamp,
  formatTimestamp,
  nanosFromDate,
  parseTimestamp,
  ZERO_TIME,
} from './timestamp.ts';

describe('timestamps', () => {
  it('have nine digits, without trailing zeros but in logs', () => {
    const nanos = 1_795_322_651_388_688_450n;
    assert.equal(formatTimestamp(nanos), '2026-11-22T04:44:11.38868845Z');
    assert.equal(formatLogTimestamp(nanos), '2026-11-22T04:44:11.388688450Z');
    assert.equal(formatTimestamp(1_000_000_000n), '1970-01-01T00:00:01Z');
    assert.equal(formatTimestamp(-1n), '1969-12-31T23:59:59.999999999Z');
  });

  it('are zero time as long as there is none', () => {
    assert.equal(formatDate(undefined), ZERO_TIME);
    assert.equal(formatTimestamp(parseTimestamp(ZERO_TIME) ?? 0n), ZERO_TIME);
  });

  it('are read with any offset and any number of digits', () => {
    assert.equal(parseTimestamp('1970-01-01T01:00:00.5+01:00'), 500_000_000n);
    assert.equal(parseTimestamp('1970-01-01T00:00:00.1234567899Z'), 123_456_789n);
    for (const text of ['', 'yesterday', '2026-13-01T00:00:00Z', '2026-01-01'])
      assert.equal(parseTimestamp(text), undefined);
  });

  it('are read back as they were printed', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 19n), max: 10n ** 19n }), (nanos) => {
        assert.equal(parseTimestamp(formatTimestamp(nanos)), nanos);
        assert.equal(parseTimestamp(formatLogTimestamp(nanos)), nanos);
      }),
    );
  });

  it('keep the milliseconds of a Date, and are rounded down to them', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e13, max: 1e13 }), fc.bigInt({ min: 0n, max: 999_999n }), (ms, rest) => {
        assert.equal(dateFromNanos(nanosFromDate(new Date(ms)) + rest).getTime(), ms);
      }),
    );
  });
});
