/** Checks that every export says what it promises, and that links between the documents lead somewhere. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
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

if (import.meta.main) {
  const root = join(import.meta.dirname, '..');
  const files = readSourceTree(root);
  const names = globSync(
    ['*.md', 'docs/**/*.md', 'packages/*/*.md', 'native/*.md', 'bench/*.md', 'conformance/*.md', 'examples/**/*.md'],
    { cwd: root },
  );
  const documents = new Map(names.map((name) => [name, readFileSync(join(root, name), 'utf8')]));
  const findings = [...checkDocstrings(files), ...checkLinks(documents, (path) => existsSync(join(root, path)))];
  report('docs', findings, `${files.length} files, ${documents.size} documents`);
}
