import { parseSource, walk, type SourceFile } from './source-tree.ts';

/** Whether a file has a test of a title, as it is written there: in quotes, or between backticks with what is filled in. */
export type HasTitle = (file: string, title: string) => boolean;

/** Reads each file once. `read` gives a file's text, if it exists. */
export function titlesBy(read: (file: string) => string | undefined): HasTitle {
  const titles = new Map<string, ReadonlySet<string>>();
  return (file, title) => {
    const known = titles.get(file) ?? stringsOf(file, read(file));
    titles.set(file, known);
    return known.has(title);
  };
}

/** Every text that stands in a file: titles of tests may come out of a table. */
function stringsOf(file: string, text: string | undefined): ReadonlySet<string> {
  const found = new Set<string>();
  if (text === undefined) return found;
  const source: SourceFile = parseSource(file, text);
  walk(source.program, (node) => {
    if (node.type === 'Literal' && typeof node['value'] === 'string') found.add(node['value']);
    if (node.type === 'TemplateLiteral') found.add(text.slice(node.start + 1, node.end - 1));
  });
  return found;
}
