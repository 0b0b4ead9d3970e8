/** Checks that every export says what it promises, that links between the documents lead somewhere, and that what is cited is there. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { checkQuotes } from './check-quotes.ts';
import { isTestFile, type Finding, type Node, isNode, readSourceTree, report, type SourceFile } from './source-tree.ts';

/** Types need one where they are a promise to others; elsewhere their fields say more than a headline would. */
const DOCUMENTED_TYPES = /^packages\/engine\/src\/core\/ports\//;

/** Every exported function, class and value without a docstring, and every exported type of a port. Re-exports carry their origin's. */
export function checkDocstrings(files: readonly SourceFile[]): readonly Finding[] {
  return files.filter(({ file }) => file.startsWith('packages/') && !isTestFile(file)).flatMap(missingIn);
}

function missingIn(source: SourceFile): readonly Finding[] {
  const findings: Finding[] = [];
  const documented = new Set<string>();
  for (const node of source.program.body as readonly unknown[]) {
    if (!isNode(node) || node.type !== 'ExportNamedDeclaration' || !isNode(node['declaration'])) continue;
    const type = ['TSInterfaceDeclaration', 'TSTypeAliasDeclaration'].includes(node['declaration'].type);
    // A schema says nothing that the type beside it does not.
    const names = namesOf(node['declaration']).filter((name) => !name.endsWith('Schema'));
    // One docstring serves a type and the value of the same name, and every overload of a function.
    if (hasDocstring(source, node)) names.forEach((name) => documented.add(name));
    const missing = names.filter((name) => !documented.has(name));
    if (missing.length === 0 || (type && !DOCUMENTED_TYPES.test(source.file))) continue;
    findings.push({
      file: source.file,
      line: source.lineAt(node.start),
      message: `${missing.join(', ')}: say what it promises, in a docstring`,
    });
  }
  return findings;
}

function namesOf(declaration: Node): readonly string[] {
  const { declarations, id } = declaration;
  const ids: readonly unknown[] = Array.isArray(declarations)
    ? declarations.map((one: unknown) => (isNode(one) ? one['id'] : undefined))
    : [id];
  return ids.map((one) => (isNode(one) && typeof one['name'] === 'string' ? one['name'] : 'export'));
}

function hasDocstring(source: SourceFile, node: Node): boolean {
  const before = source.comments.findLast((comment) => comment.end <= node.start);
  if (before === undefined || before.type !== 'Block' || !before.value.startsWith('*')) return false;
  return source.text.slice(before.end, node.start).trim() === '';
}

const LINK = /\]\(([^)\s#]+)(?:#[^)]*)?\)/g;

/** Relative links of Markdown files that lead nowhere. `documents` maps a path to its text. */
export function checkLinks(
  documents: ReadonlyMap<string, string>,
  exists: (path: string) => boolean,
): readonly Finding[] {
  return [...documents].flatMap(([file, text]) =>
    text.split('\n').flatMap((line, index) =>
      [...line.matchAll(LINK)]
        .map((match) => match[1] ?? '')
        .filter((target) => !/^[a-z]+:/.test(target) && !exists(normalize(join(dirname(file), target))))
        .map((target) => ({ file, line: index + 1, message: `the link to ${target} leads nowhere` })),
    ),
  );
}

/** A text that may cite: a source file or a document. */
export interface CitingText {
  readonly file: string;
  readonly text: string;
}

/** What may stand between the words of a citation that a comment breaks: blanks, line ends, the stars or slashes of the next line. */
const GAP = String.raw`[\s*/]`;
const NUMBER = String.raw`\d+(?:\.\d+)?`;
const ENGINE_API = new RegExp(
  String.raw`\bengine-api(?:\.md)?${GAP}+(${NUMBER}(?:(?:,|–| and| to)${GAP}*${NUMBER})*)`,
  'g',
);
const DEADLINES_RULE = new RegExp(String.raw`\bdeadlines\.md,${GAP}+rule${GAP}+(\d+)`, 'g');
const DOCUMENT = /\bdocs\/(?:[a-z\d-]+\/)*[a-z\d-]+(?:\.md\b)?/g;
const DECISION = /\bADR (\d{4})\b/g;

/** Every citation of a section, rule or document that is not there. `documents` maps a path to its text. */
export function checkCitations(
  texts: readonly CitingText[],
  documents: ReadonlyMap<string, string>,
): readonly Finding[] {
  const sections = numbersIn(documents.get('docs/engine-api.md') ?? '', /^#{2,3} (\d+(?:\.\d+)?)\.? /gm);
  const rules = numbersIn(documents.get('docs/deadlines.md') ?? '', /^(\d+)\. /gm);
  const paths = [...documents.keys()];
  return texts.flatMap((citing) => [
    ...found(citing, ENGINE_API, ([, list = '']) =>
      (list.match(new RegExp(NUMBER, 'g')) ?? [])
        .filter((number) => !sections.has(number))
        .map((number) => `docs/engine-api.md has no section ${number}`),
    ),
    ...found(citing, DEADLINES_RULE, ([, rule = '']) =>
      rules.has(rule) ? [] : [`docs/deadlines.md has no rule ${rule}`],
    ),
    ...found(citing, DOCUMENT, ([path]) =>
      paths.some((known) => known.startsWith(path)) ? [] : [`there is no ${path}`],
    ),
    ...found(citing, DECISION, ([words, number]) =>
      paths.some((known) => known.startsWith(`docs/adr/${number}-`)) ? [] : [`there is no ${words}`],
    ),
  ]);
}

function numbersIn(text: string, pattern: RegExp): ReadonlySet<string> {
  return new Set([...text.matchAll(pattern)].map(([, number = '']) => number));
}

function found(
  { file, text }: CitingText,
  pattern: RegExp,
  complaints: (match: RegExpExecArray) => readonly string[],
): readonly Finding[] {
  return [...text.matchAll(pattern)].flatMap((match) =>
    complaints(match).map((message) => ({ file, line: text.slice(0, match.index).split('\n').length, message })),
  );
}

if (import.meta.main) {
  const root = join(import.meta.dirname, '..');
  const files = readSourceTree(root);
  const names = globSync(
    ['*.md', 'docs/**/*.md', 'packages/*/*.md', 'native/*.md', 'bench/*.md', 'conformance/*.md', 'examples/**/*.md'],
    { cwd: root },
  );
  const documents = new Map(names.map((name) => [name, readFileSync(join(root, name), 'utf8')]));
  const examples = globSync('examples/*.ts', { cwd: root });
  const quoted = new Map(examples.map((file) => [basename(file, '.ts'), readFileSync(join(root, file), 'utf8')]));
  const native = globSync(['native/src/*', 'native/programs/**/*.{c,h}'], { cwd: root });
  const citing = [
    // Tests speak of documents that they make up.
    ...files.filter(({ file }) => !isTestFile(file)),
    ...native.map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') })),
    ...[...documents].map(([file, text]) => ({ file, text })),
  ];
  const findings = [
    ...checkDocstrings(files),
    ...checkLinks(documents, (path) => existsSync(join(root, path))),
    ...checkCitations(citing, documents),
    ...checkQuotes(documents, (name) => quoted.get(name)),
  ];
  report('docs', findings, `${files.length} files, ${documents.size} documents`);
}
