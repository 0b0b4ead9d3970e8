import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { noBody, type Endpoint } from '@fairlead/protocol';
import { titlesBy } from './test-titles.ts';
import { checkCoverage, compatibility, type Sources } from './make-compatibility.ts';

const endpoint = (method: Endpoint['method'], path: string): Endpoint => ({
  ...{ method, path, query: {}, body: noBody, response: { kind: 'empty' }, success: [204] },
});
const shownBy = { file: 'a.test.ts', title: 'does it' };
const sources: Sources = {
  endpoints: [endpoint('GET', '/things/{id}'), endpoint('POST', '/things/{name...}/turn')],
  coverage: {
    'GET /things/{id}': { shownBy },
    'POST /things/{name...}/turn': { shownBy, lacks: ['`left`: 501'] },
  },
  since: { 'POST /others': '1.40' },
  notServed: {
    ...{
      'no-such-network': [],
      'no-such-volume': [],
      'no-such-plugin': [],
      'not-a-swarm-manager': [],
      'empty-list': [],
    },
    'not-implemented': ['POST /others', 'GET /things/{ref}'],
  },
  compared: ['GET /things/a?size=1', 'GET /things/b', 'POST /things/a/b/turn', 'GET /elsewhere'],
  intended: [{ at: /^body\.(A|B)$/, target: /^GET \/things/, because: 'it is better' }],
};
const read = (file: string): string | undefined => (file === 'a.test.ts' ? "it('does it', () => {});" : undefined);

describe('compatibility', () => {
  const lines = compatibility(sources).split('\n');
  const rows = [
    '| `GET /things/{id}` | 1.24 | done | 2 | [a.test.ts](../a.test.ts): does it |',
    '| `POST /things/{name...}/turn` | 1.24 | partly | 1 | [a.test.ts](../a.test.ts): does it |',
    '- `POST /things/{name...}/turn`: `left`: 501',
    '| `POST /others` | 1.40 | 501, in clear words |',
    '| `^body\\.(A\\|B)$` | `^GET /things` | it is better |',
  ];
  for (const row of rows) it(`has ${row}`, () => assert.ok(lines.includes(row), lines.join('\n')));

  it('does not call refused what is served under another name for the same', () => {
    assert.ok(!lines.some((line) => line.includes('{ref}')));
  });
});

describe('checkCoverage', () => {
  const cases: readonly {
    readonly name: string;
    readonly change: Partial<Sources>;
    readonly says: readonly string[];
  }[] = [
    { name: 'a table that agrees', change: {}, says: [] },
    {
      name: 'an endpoint without a row',
      change: { endpoints: [...sources.endpoints, endpoint('GET', '/new')] },
      says: ['say which test shows GET /new'],
    },
    {
      name: 'a row without an endpoint',
      change: { coverage: { ...sources.coverage, 'GET /old': { shownBy } } },
      says: ['GET /old is not in the endpoint table: take its row out'],
    },
    {
      name: 'a version of nothing',
      change: { since: { 'GET /old': '1.40' } },
      says: ['GET /old is neither served nor refused: take its version out'],
    },
    {
      name: 'a test that is not there, in a file that is',
      change: { coverage: { ...sources.coverage, 'GET /things/{id}': { shownBy: { ...shownBy, title: 'did it' } } } },
      says: ["GET /things/{id}: there is no test 'did it' in a.test.ts"],
    },
    {
      name: 'a test in a file that is not there',
      change: { coverage: { ...sources.coverage, 'GET /things/{id}': { shownBy: { ...shownBy, file: 'b.test.ts' } } } },
      says: ["GET /things/{id}: there is no test 'does it' in b.test.ts"],
    },
  ];
  for (const { name, change, says } of cases) {
    it(`${name}: ${says.join('; ') || 'nothing to report'}`, () => {
      const found = checkCoverage({ ...sources, ...change }, titlesBy(read));
      assert.deepEqual(
        found.map(({ message }) => message),
        says,
      );
    });
  }
});
