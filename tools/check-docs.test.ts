import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkCitations, checkDocstrings, checkLinks } from './check-docs.ts';
import { parseSource } from './source-tree.ts';

function missing(text: string, file = 'packages/x/src/a.ts'): readonly string[] {
  return checkDocstrings([parseSource(file, text)]).map(({ message }) => message.split(':', 1)[0] ?? '');
}

const port = 'packages/engine/src/core/ports/clock.ts';

describe('checkDocstrings', () => {
  it('wants one on every exported function, class and value', () => {
    assert.deepEqual(missing('export function f() {}\nexport class C {}\nexport const A = 1, B = 2;'), [
      'f',
      'C',
      'A, B',
    ]);
    assert.deepEqual(
      missing('/** Promises. */\nexport function f() {}\nfunction own() {}\nexport { own as g } from "./b.ts";'),
      [],
    );
  });

  it('does not take a comment, or a docstring of something else, for one', () => {
    assert.deepEqual(missing('// Promises.\nexport function f() {}'), ['f']);
    assert.deepEqual(missing('/** Promises. */\nconst a = 1;\nexport function f() {}'), ['f']);
  });

  it('wants one on the types of a port', () => {
    assert.deepEqual(missing('export interface Clock { now(): Date }', port), ['Clock']);
    assert.deepEqual(missing('export interface Clock { now(): Date }'), []);
  });

  it('asks once for overloads', () => {
    assert.deepEqual(
      missing(
        '/** Promises. */\nexport function f(a: string): void;\nexport function f(a: number): void;\nexport function f() {}',
      ),
      [],
    );
  });
});

describe('checkLinks', () => {
  it('reports what leads nowhere, with its line', () => {
    const documents = new Map([
      ['docs/a.md', '[there](b.md#part)\n[gone](../c.md) [web](https://example.org/x)\n[here](#part)'],
    ]);
    const found = checkLinks(documents, (path) => path === 'docs/b.md');
    assert.deepEqual(found, [{ file: 'docs/a.md', line: 2, message: 'the link to ../c.md leads nowhere' }]);
  });
});

describe('checkCitations', () => {
  const documents = new Map([
    ['docs/engine-api.md', '## 1. Conventions\n\n### 1.1 Paths\n\n### 1.10 Connections\n\n## 2. States\n'],
    ['docs/deadlines.md', '1. **One source.**\n2. **Strict nesting.**\n'],
    ['docs/adr/0001-the-parts.md', ''],
  ]);
  const cases = [
    { text: '// Source: engine-api 1.1.', complaints: [] },
    { text: '/** Source: engine-api 1.1, 1.10, 2. */', complaints: [] },
    { text: '// engine-api 1–2 and moby v28', complaints: [] },
    { text: '// engine-api 1.2 and 1.1', complaints: ['docs/engine-api.md has no section 1.2'] },
    { text: '// engine-api 1.1 and 7', complaints: ['docs/engine-api.md has no section 7'] },
    { text: '/**\n * as in engine-api\n * 3.2.\n */', complaints: ['docs/engine-api.md has no section 3.2'] },
    { text: '// deadlines.md, rule 2', complaints: [] },
    { text: '// deadlines.md, rule 3', complaints: ['docs/deadlines.md has no rule 3'] },
    { text: '// docs/adr/0001, docs/adr/0001-the-parts.md, ADR 0001', complaints: [] },
    { text: '// docs/adr/0002', complaints: ['there is no docs/adr/0002'] },
    { text: '// ADR 0002', complaints: ['there is no ADR 0002'] },
    { text: '// docs/gone.md', complaints: ['there is no docs/gone.md'] },
  ];
  for (const { text, complaints } of cases) {
    it(`${JSON.stringify(text)}: ${complaints.join(', ') || 'nothing to report'}`, () => {
      const found = checkCitations([{ file: 'a.ts', text }], documents);
      assert.deepEqual(
        found.map(({ message }) => message),
        complaints,
      );
    });
  }

  it('says in which line', () => {
    const [found] = checkCitations([{ file: 'a.ts', text: '\n\n// docs/gone.md' }], documents);
    assert.deepEqual([found?.file, found?.line], ['a.ts', 3]);
  });
});
