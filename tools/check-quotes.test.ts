import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkQuotes } from './check-quotes.ts';

describe('checkQuotes', () => {
  const example = "console.log('hi');\n";
  const documentWith = (code: string): ReadonlyMap<string, string> =>
    new Map([['README.md', `# A\n\n<!-- example hello -->\n\n\`\`\`ts\n${code}\`\`\`\n`]]);
  const read = (name: string): string | undefined => (name === 'hello' ? example : undefined);

  it('lets pass what is word for word the example', () => {
    assert.deepEqual(checkQuotes(documentWith(example), read), []);
  });

  it('finds a quotation that has grown old, and one of nothing', () => {
    const [finding] = checkQuotes(documentWith("console.log('ho');\n"), read);
    assert.deepEqual(finding, {
      file: 'README.md',
      line: 3,
      message: 'is not examples/hello.ts: copy it from there',
    });
    assert.equal(checkQuotes(documentWith(example), () => undefined).length, 1);
  });
});
