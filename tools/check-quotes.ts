/** Programs that a document quotes are those that run: after `<!-- example NAME -->` stands what is in `examples/NAME.ts`. */
import type { Finding } from './source-tree.ts';

const QUOTE = /<!-- example ([\w-]+) -->\n+```ts\n([^]*?)```\n/g;

/** Every quotation that differs from its example. `documents` maps a path to its text, `read` gives an example by its name. */
export function checkQuotes(
  documents: ReadonlyMap<string, string>,
  read: (name: string) => string | undefined,
): readonly Finding[] {
  return [...documents].flatMap(([file, text]) =>
    [...text.matchAll(QUOTE)]
      .filter(([, name = '', code]) => read(name) !== code)
      .map((quote) => ({
        file,
        line: text.slice(0, quote.index).split('\n').length,
        message: `is not examples/${quote[1]}.ts: copy it from there`,
      })),
  );
}
