import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isEngineError, parseFilters } from '@fairlead/protocol';
import { pruneFilter } from './prune-filters.ts';

const now = new Date('2026-01-01T12:00:00Z');
const KNOWN = ['until', 'label', 'label!'];
const before = (ms: number): Date => new Date(now.getTime() - ms);

describe('pruneFilter', () => {
  const cases: readonly {
    readonly filters: Readonly<Record<string, readonly string[]>>;
    readonly accepts?: boolean;
    readonly createdAt?: Date | undefined;
  }[] = [
    { filters: {}, accepts: true },
    { filters: { until: ['10m'] }, createdAt: before(600_001), accepts: true },
    { filters: { until: ['10m'] }, createdAt: before(599_999), accepts: false },
    { filters: { until: ['1h30m'] }, createdAt: before(6_000_000), accepts: true },
    { filters: { until: ['1767268800'] }, createdAt: now, accepts: true },
    { filters: { until: ['1767268799.5'] }, createdAt: now, accepts: false },
    { filters: { until: ['2026-01-01T12:00:00Z'] }, createdAt: now, accepts: true },
    { filters: { until: ['2026-01-01T13:00:00+02:00'] }, createdAt: now, accepts: false },
    { filters: { until: ['2026-01-01'] }, createdAt: now, accepts: false },
    { filters: { until: ['1h'] }, createdAt: undefined, accepts: false },
    { filters: { label: ['a=1'] }, accepts: true },
    { filters: { label: ['a', 'b'] }, accepts: false },
    { filters: { 'label!': ['a=1'] }, accepts: false },
    { filters: { 'label!': ['a=2'] }, accepts: true },
    { filters: { label: ['a'], 'label!': ['b'] }, accepts: true },
  ];
  for (const { filters, accepts, ...thing } of cases) {
    it(`${JSON.stringify(filters)} ${accepts === true ? 'takes' : 'leaves'} ${thing.createdAt?.toISOString() ?? 'it'}`, () => {
      const filter = pruneFilter(parseFilters(JSON.stringify(filters)), { known: KNOWN, now });
      assert.equal(filter.accepts({ createdAt: thing.createdAt, labels: { a: '1' } }), accepts);
    });
  }

  const refused: readonly { readonly filters: Readonly<Record<string, readonly string[]>>; readonly words: string }[] =
    [
      { filters: { name: ['x'] }, words: "invalid filter 'name'" },
      { filters: { until: ['1h', '2h'] }, words: 'more than one until filter specified' },
      { filters: { until: ['soon'] }, words: 'failed to parse value as time or duration: "soon"' },
    ];
  for (const { filters, words } of refused) {
    it(`refuses ${JSON.stringify(filters)}`, () => {
      assert.throws(
        () => pruneFilter(parseFilters(JSON.stringify(filters)), { known: KNOWN, now }),
        (error) => isEngineError(error) && error.kind === 'invalid-argument' && error.message === words,
      );
    });
  }
});
