import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Behaviours } from '@fairlead/conformance';
import { statementsOf } from './engine-api-statements.ts';
import { checkBehaviours, engineApiTests, type BehaviourSources } from './engine-api-tests.ts';
import { titlesBy } from './test-titles.ts';

const DOCUMENT = `# Words

Nothing that counts.

## 1. First

One sentence. Another, with \`a. Dot\` in
code (and one. Two in brackets.) A third.

- an item that
  goes on
- 404. And more

| head | of it |
|---|---|
| a | b \\| c |

### 1.2 Second

\`\`\`
GET /x
  HTTP
\`\`\`

## 9. Ninth

Not held.
`;

describe('statementsOf', () => {
  it('takes a document apart into sentences, rows and code', () => {
    assert.deepEqual(
      statementsOf(DOCUMENT).map(({ section, text, line }) => `${section}@${line} ${text}`),
      [
        '1@7 One sentence.',
        '1@7 Another, with `a. Dot` in code (and one. Two in brackets.)',
        '1@7 A third.',
        '1@10 an item that goes on',
        '1@12 404.',
        '1@12 And more',
        '1@16 a | b \\| c',
        '1.2@20 GET /x HTTP',
        '9@27 Not held.',
      ],
    );
  });
});

const read = (file: string): string | undefined =>
  file === 'a.test.ts' ? "it('does it', () => {}); it(`does ${this}`, () => {});" : undefined;
const shownBy = [{ file: 'a.test.ts', title: 'does it' }];
const behaviours: Behaviours = {
  '1': [
    { says: 'One', shownBy },
    { says: 'Another', shownBy: [{ file: 'a.test.ts', title: 'does ${this}' }, { scene: 'acted' }] },
    { says: 'A third', shownBy: [], aside: 'why not' },
    ...['an item', '404', 'And', 'a |'].map((says) => ({ says, shownBy })),
  ],
  '1.2': [{ says: 'GET', shownBy }],
};
const sources: BehaviourSources = { statements: statementsOf(DOCUMENT), behaviours, scenes: new Set(['acted']) };

describe('checkBehaviours', () => {
  const cases: readonly {
    readonly name: string;
    readonly change: Partial<BehaviourSources>;
    readonly says: readonly string[];
  }[] = [
    { name: 'all is shown', change: {}, says: [] },
    {
      name: 'a sentence that nothing shows',
      change: { behaviours: { ...behaviours, '1.2': [] } },
      says: ['1.2 says “GET /x HTTP…”: say in conformance/behaviours/behaviours.ts which test shows it'],
    },
    {
      name: 'a row that nobody says',
      change: { behaviours: { ...behaviours, '1.3': [{ says: 'Gone', shownBy }] } },
      says: ['1.3 has 0 statements that begin with “Gone”: there must be one'],
    },
    {
      name: 'tests and scenes that are not there',
      change: {
        behaviours: {
          ...behaviours,
          '1.2': [{ says: 'GET', shownBy: [{ file: 'b.test.ts', title: 'does it' }, { scene: 'cut' }] }],
        },
      },
      says: ["1.2 “GET”: there is no test 'does it' in b.test.ts", "1.2 “GET”: there is no scene 'cut'"],
    },
    {
      name: 'no proof at all',
      change: { behaviours: { ...behaviours, '1.2': [{ says: 'GET', shownBy: [] }] } },
      says: ['1.2 “GET”: nothing shows it'],
    },
  ];
  for (const { name, change, says } of cases) {
    it(name, () => {
      const found = checkBehaviours({ ...sources, ...change }, titlesBy(read));
      assert.deepEqual(
        found.map(({ message }) => message),
        says,
      );
    });
  }
});

describe('engineApiTests', () => {
  const lines = engineApiTests(sources).split('\n');
  for (const row of [
    '| One sentence. | [a.test.ts](../a.test.ts): does it |',
    '| Another, with `a. Dot` in code (and one. Two in brackets.) | [a.test.ts](../a.test.ts): does ${this}<br>compared: acted |',
    '| A third. | not shown: why not |',
    '| a \\| b \\| c | [a.test.ts](../a.test.ts): does it |',
  ])
    it(`has ${row}`, () => assert.ok(lines.includes(row), lines.join('\n')));
});
