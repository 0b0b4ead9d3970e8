import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseMoment } from './timestamp.ts';

const now = new Date('2026-11-22T12:00:00Z');

describe('parseMoment', () => {
  const cases = [
    ['1795321741', 1795321741000000000n],
    ['1795321741.5', 1795321741500000000n],
    ['2026-11-22T12:00:00Z', BigInt(now.getTime()) * 1000000n],
    ['2026-11-22T13:00:00.123456789+01:00', BigInt(now.getTime()) * 1000000n + 123456789n],
    ['10m', BigInt(now.getTime() - 600_000) * 1000000n],
    ['0s', BigInt(now.getTime()) * 1000000n],
    ['2026-11-22', BigInt(Date.parse('2026-11-22T00:00:00')) * 1000000n],
    ['2026-11-22T07:30', BigInt(Date.parse('2026-11-22T07:30:00')) * 1000000n],
  ] as const;
  for (const [typed, nanos] of cases) it(`reads ${typed}`, () => assert.equal(parseMoment(typed, now), nanos));
  it('refuses what is none', () => assert.throws(() => parseMoment('soon', now), /invalid duration "soon"/));
});
