import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkLimits, type Limits } from './check-limits.ts';
import { parseSource } from './source-tree.ts';

const limits: Limits = { fileLines: 10, testFileLines: 20, functionLines: 4, parameters: 3, exceptions: {} };

function findings(
  text: string,
  exceptions: Limits['exceptions'] = {},
  file = 'packages/x/src/a.ts',
): readonly string[] {
  return checkLimits([parseSource(file, text)], { ...limits, exceptions }).map(
    ({ line, message }) => `${line}: ${message}`,
  );
}

const longFunction = `class Box {\n  #fill(): void {\n    one();\n    // why\n\n    two();\n    three();\n  }\n}\n`;
const name = 'packages/x/src/a.ts';

describe('checkLimits', () => {
  it('counts lines of code, not blanks and comments', () => {
    assert.deepEqual(findings(`${'// why\n\n'.repeat(40)}const a = 1;\n`), []);
    assert.deepEqual(findings('const a = 1;\n'.repeat(11)), ['1: lines of code of the file has 11, the limit is 10']);
  });

  it('names the function that is too long', () => {
    assert.deepEqual(findings(longFunction), ['2: Box.#fill: lines of code has 5, the limit is 4']);
  });

  it('counts parameters, and not this', () => {
    assert.deepEqual(findings('const f = (a, b, c, d) => a;'), ['1: f: parameters has 4, the limit is 3']);
    assert.deepEqual(findings('function f(this: Box, a, b, c) {}'), []);
  });

  it('gives test files more room and does not measure their functions', () => {
    assert.deepEqual(findings(longFunction.repeat(2), {}, 'packages/x/src/a.test.ts'), []);
  });

  it('lets an exception stand, shrink only, and go when it is no longer needed', () => {
    assert.deepEqual(findings(longFunction, { [`${name}#Box.#fill`]: 5 }), []);
    assert.match(findings(longFunction, { [`${name}#Box.#fill`]: 6 })[0] ?? '', /has shrunk to 5/);
    assert.match(findings('const a = 1;', { [name]: 11 })[0] ?? '', /within the limit again/);
    assert.match(findings('const a = 1;', { 'packages/gone.ts': 11 })[0] ?? '', /names nothing/);
    const grown = checkLimits([parseSource(name, longFunction)], {
      ...limits,
      functionLines: 3,
      exceptions: { [`${name}#Box.#fill`]: 4 },
    });
    assert.match(grown[0]?.message ?? '', /has grown to 5/);
  });
});
