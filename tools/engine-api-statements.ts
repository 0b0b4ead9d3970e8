/** One thing that docs/engine-api.md says: a sentence, a row of a table, or a block of code. */
export interface Statement {
  /** Its section, as in `3.4`. */
  readonly section: string;
  /** As it stands there, on one line; of a row, the cells with ` | ` between them. */
  readonly text: string;
  readonly line: number;
}

const HEADING = /^#{2,} (?:(\d+(?:\.\d+)?)\.? )?/;
const ITEM = /^(?:- |\d\. )/;
/** A sentence ends before the next one's first letter, code or emphasis. */
const SENTENCE_END = /(?<=\.\*{0,2}) (?=[A-Z*0])/g;

/** Everything that a document says in its numbered sections, in its order. */
export function statementsOf(document: string): readonly Statement[] {
  const statements: Statement[] = [];
  let section: string | undefined;
  let open: { readonly line: number; readonly words: string[] } | undefined;
  const close = (): void => {
    if (open !== undefined && section !== undefined) {
      for (const text of sentencesOf(open.words.join(' '))) statements.push({ section, text, line: open.line });
    }
    open = undefined;
  };
  const lines = document.split('\n');
  for (let index = 0; index < lines.length; index += 1) {
    const text = lines[index] ?? '';
    const line = index + 1;
    if (HEADING.test(text)) {
      close();
      section = HEADING.exec(text)?.[1];
    } else if (text.startsWith('```')) {
      close();
      const end = lines.indexOf('```', index + 1);
      if (section !== undefined)
        statements.push({
          section,
          text: lines
            .slice(index + 1, end)
            .join(' ')
            .replaceAll(/ +/g, ' '),
          line,
        });
      index = end;
    } else if (text.startsWith('|')) {
      close();
      const isBody = index >= 2 && (lines[index - 1] ?? '').startsWith('|') && !/^\|[-:| ]+\|$/.test(text);
      if (section !== undefined && isBody) statements.push({ section, text: cellsOf(text).join(' | '), line });
    } else if (text.trim() === '') close();
    else {
      if (ITEM.test(text)) close();
      open ??= { line, words: [] };
      open.words.push(text.replace(ITEM, '').trim());
    }
  }
  close();
  return statements;
}

/** Dots and colons within code and brackets end nothing. */
function sentencesOf(paragraph: string): readonly string[] {
  const masked = paragraph.replaceAll(/`[^`]*`|\([^()]*\)/g, (quoted) =>
    quoted.endsWith('.)') ? `${'0'.repeat(quoted.length - 1)}.` : '0'.repeat(quoted.length),
  );
  const ends = [...masked.matchAll(SENTENCE_END)].map(({ index }) => index);
  return [...ends, paragraph.length].map((end, at) => paragraph.slice(at === 0 ? 0 : (ends[at - 1] ?? 0) + 1, end));
}

function cellsOf(row: string): readonly string[] {
  return row
    .slice(1, -1)
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim())
    .filter((cell) => cell !== '');
}
