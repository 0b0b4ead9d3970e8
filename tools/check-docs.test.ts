import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkDocstrings, checkLinks } from './check-docs.ts';
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
