import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { containerEndpoints } from '../endpoints/containers.ts';
import { imageEndpoints } from '../endpoints/images.ts';
import { systemEndpoints } from '../endpoints/system.ts';
import { decodeQuery, encodeQuery, type QueryShape } from './query.ts';
import * as scalar from './scalars.ts';

const { stop, list, logs, resize, kill } = containerEndpoints;

describe('decodeQuery', () => {
  const cases: readonly (readonly [string, QueryShape, string, Readonly<Record<string, unknown>>])[] = [
    ['seconds become milliseconds', stop.query, 't=5', { t: 5000 }],
    ['a negative grace has no end', stop.query, 't=-1', { t: Infinity }],
    ['zero seconds are zero', stop.query, 't=0', { t: 0 }],
    ['an empty t is absent', stop.query, 't=', {}],
    ['a plus sign is allowed', stop.query, 't=%2B7', { t: 7000 }],
    ['a boolean is false for five words only', list.query, 'all=None&size=bananas', { all: false, size: true }],
    ['a key without a value is false', list.query, 'all', { all: false }],
    ['unknown keys are ignored', list.query, 'colour=blue', {}],
    ['the first of several values counts', list.query, 'limit=1&limit=2', { limit: 1 }],
    ['tail=all is everything', logs.query, 'tail=all', {}],
    ['a negative or unreadable tail is everything', logs.query, 'tail=-3', {}],
    ['tail=0 is nothing', logs.query, 'tail=0', { tail: 0 }],
    ['times have nanoseconds', logs.query, 'since=12.5&until=0', { since: 12_500_000_000n, until: 0n }],
    ['a long fraction is cut', logs.query, 'since=1.1234567899', { since: 1_123_456_789n }],
    ['quiet is true when it is absent', imageEndpoints.load.query, '', { quiet: true }],
    ['and false when it is there without a value', imageEndpoints.load.query, 'quiet', { quiet: false }],
    ['a repeated key is a list', imageEndpoints.import.query, 'changes=A&changes=B', { changes: ['A', 'B'] }],
    [
      'filters are a map',
      systemEndpoints.events.query,
      'filters={"type":["a"]}',
      { filters: new Map([['type', ['a']]]) },
    ],
  ];
  for (const [fact, shape, query, values] of cases) {
    it(fact, () => assert.deepEqual(decodeQuery(shape, new URLSearchParams(query), '1.44'), values));
  }

  const refusals: readonly (readonly [QueryShape, string, string])[] = [
    [stop.query, 't=abc', 'strconv.Atoi: parsing "abc": invalid syntax'],
    [stop.query, 't=1.5', 'strconv.Atoi: parsing "1.5": invalid syntax'],
    [stop.query, 't=99999999999999999999', 'strconv.Atoi: parsing "99999999999999999999": value out of range'],
    [logs.query, 'since=abc', 'strconv.ParseInt: parsing "abc": invalid syntax'],
    [logs.query, 'since=2026-01-01T00:00:00Z', 'strconv.ParseInt: parsing "2026-01-01T00:00:00Z": invalid syntax'],
    [resize.query, 'h=x&w=1', 'invalid resize height "x": invalid syntax'],
    [resize.query, 'h=1&w=-1', 'invalid resize width "-1": invalid syntax'],
    [resize.query, 'h=1&w=4294967296', 'invalid resize width "4294967296": value out of range'],
    [kill.query, 'signal=BOGUS', 'invalid signal: BOGUS'],
    [list.query, 'filters=[]', 'invalid filter'],
  ];
  for (const [shape, query, message] of refusals) {
    it(`refuses ${query}`, () => {
      assert.throws(() => decodeQuery(shape, new URLSearchParams(query), '1.44'), {
        kind: 'invalid-argument',
        message,
      });
    });
  }

  it('ignores a parameter that the version does not know yet, even a broken one', () => {
    assert.deepEqual(decodeQuery(stop.query, new URLSearchParams('t=1&signal=BOGUS'), '1.41'), { t: 1000 });
    assert.deepEqual(decodeQuery(stop.query, new URLSearchParams('t=1&signal=INT'), '1.42'), {
      t: 1000,
      signal: 'INT',
    });
  });
});

describe('encodeQuery', () => {
  it('sends only what is given and what the engine knows', () => {
    assert.equal(encodeQuery(stop.query, { t: Infinity, signal: 'INT' }, '1.44').toString(), 't=-1&signal=INT');
    assert.equal(encodeQuery(stop.query, { t: 1500, signal: 'INT' }, '1.41').toString(), 't=2');
    assert.equal(encodeQuery(stop.query, {}, '1.44').toString(), '');
    assert.equal(encodeQuery(list.query, { filters: new Map() }, '1.44').toString(), '');
  });

  it('is undone by decodeQuery', () => {
    const shape = {
      t: scalar.seconds,
      n: scalar.int,
      yes: scalar.bool,
      name: scalar.text,
      at: scalar.unixTime,
      tail: scalar.tail,
      many: scalar.list,
      filters: scalar.filters,
    };
    const values = fc.record(
      {
        t: fc.oneof(
          fc.constant(Infinity),
          fc.nat(1_000_000).map((s) => s * 1000),
        ),
        n: fc.maxSafeInteger(),
        yes: fc.boolean(),
        name: fc.string({ minLength: 1 }),
        at: fc.bigInt({ min: -(10n ** 19n), max: 10n ** 19n }),
        tail: fc.nat(),
        many: fc.array(fc.string(), { minLength: 1 }),
        filters: fc
          .array(fc.tuple(fc.string(), fc.uniqueArray(fc.string(), { minLength: 1 })), { minLength: 1 })
          .map((e) => new Map(e)),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(values, (given) => {
        const sent = new URLSearchParams(encodeQuery(shape, given, '1.44').toString());
        const got = decodeQuery(shape, sent, '1.44');
        // JSON puts keys that look like numbers first, so the order of filters is not kept; it says nothing.
        const sorted = (map: ReadonlyMap<string, readonly string[]> | undefined) =>
          map && new Map([...map].map(([key, list]) => [key, new Set(list)]));
        assert.deepEqual({ ...got, filters: sorted(got.filters) }, { ...given, filters: sorted(given.filters) });
      }),
    );
  });
});
