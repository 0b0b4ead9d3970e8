/** Checks the size budget of limits.json: lines of a file, lines of a function, parameters. Exceptions may only shrink. */
import { join } from 'node:path';
import {
  isTestFile,
  type Finding,
  type Node,
  isNode,
  readJson,
  readSourceTree,
  report,
  type SourceFile,
  walk,
} from './source-tree.ts';

/** Lines are lines of code: blank lines and comments do not count. */
export interface Limits {
  readonly fileLines: number;
  readonly testFileLines: number;
  readonly functionLines: number;
  readonly parameters: number;
  /** `file`, `file#function` or `file#function()` (its parameters) → what it has today. */
  readonly exceptions: Readonly<Record<string, number>>;
}

interface Measure {
  readonly key: string;
  readonly file: string;
  readonly line: number;
  readonly what: string;
  readonly value: number;
  readonly limit: number;
}

/** Everything over its limit, exceptions that have grown, and exceptions that are larger than what is left of them. */
export function checkLimits(files: readonly SourceFile[], limits: Limits): readonly Finding[] {
  const measures = files.flatMap((file) => measuresOf(file, limits));
  const seen = new Set(measures.map(({ key }) => key));
  const gone = Object.keys(limits.exceptions).filter((key) => !seen.has(key));
  return [
    ...measures.flatMap((measure) => judge(measure, limits.exceptions[measure.key])),
    ...gone.map((key) => ({
      file: 'limits.json',
      line: 1,
      message: `the exception ${key} names nothing: take it out`,
    })),
  ];
}

function judge(measure: Measure, exception: number | undefined): readonly Finding[] {
  const { file, line, what, value, limit, key } = measure;
  if (exception === undefined) {
    return value > limit ? [{ file, line, message: `${what} has ${value}, the limit is ${limit}` }] : [];
  }
  if (value > exception)
    return [{ file, line, message: `${what} has grown to ${value}, its exception allows ${exception}` }];
  if (value <= limit)
    return [{ file, line, message: `${what} is within the limit again: take ${key} out of limits.json` }];
  if (value < exception)
    return [{ file, line, message: `${what} has shrunk to ${value}: write that for ${key} in limits.json` }];
  return [];
}

function measuresOf(source: SourceFile, limits: Limits): readonly Measure[] {
  const code = codeLines(source);
  const { file } = source;
  const test = isTestFile(file);
  const fileLimit = test ? limits.testFileLines : limits.fileLines;
  const found: Measure[] = [
    { key: file, file, line: 1, what: 'lines of code of the file', value: code.size, limit: fileLimit },
  ];
  walk(source.program, (node, parents) => {
    if (!isFunction(node)) return;
    const name = nameOf(node, parents);
    const line = source.lineAt(node.start);
    const parameters = parametersOf(node);
    found.push({
      key: `${file}#${name}()`,
      file,
      line,
      what: `${name}: parameters`,
      value: parameters,
      limit: limits.parameters,
    });
    // The body of a describe or it is a list of facts, not a function to keep in one's head.
    if (test) return;
    const last = source.lineAt(node.end - 1);
    let lines = 0;
    for (let at = line; at <= last; at++) if (code.has(at)) lines++;
    found.push({
      key: `${file}#${name}`,
      file,
      line,
      what: `${name}: lines of code`,
      value: lines,
      limit: limits.functionLines,
    });
  });
  return found;
}

/** Lines that hold something other than blanks and comments. */
function codeLines(source: SourceFile): ReadonlySet<number> {
  const characters = source.text.split('');
  for (const { start, end } of source.comments) {
    for (let at = start; at < end; at++) if (characters[at] !== '\n') characters[at] = ' ';
  }
  const lines = new Set<number>();
  for (const [index, line] of characters.join('').split('\n').entries()) if (line.trim() !== '') lines.add(index + 1);
  return lines;
}

function isFunction(node: Node): boolean {
  return ['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'].includes(node.type);
}

function parametersOf(node: Node): number {
  const { params } = node;
  const list = isNode(params) ? params['items'] : params;
  if (!Array.isArray(list)) return 0;
  return list.filter((param) => !(isNode(param) && param.type === 'Identifier' && param['name'] === 'this')).length;
}

/** `stopContainer`, `ContainerActor.send`; what has no name is named for where it is used. */
function nameOf(node: Node, parents: readonly Node[]): string {
  const own = identifier(node['id']);
  if (own !== undefined) return own;
  const parent = parents.at(-1);
  if (parent === undefined) return 'anonymous';
  if (parent.type === 'VariableDeclarator') return identifier(parent['id']) ?? 'anonymous';
  const key = identifier(parent['key']);
  if (key === undefined) return 'anonymous';
  const owner = parents.findLast((one) => one.type === 'ClassDeclaration');
  return owner === undefined ? key : `${identifier(owner['id']) ?? 'anonymous'}.${key}`;
}

function identifier(value: unknown): string | undefined {
  if (!isNode(value)) return undefined;
  if (typeof value['name'] === 'string')
    return value.type === 'PrivateIdentifier' ? `#${value['name']}` : value['name'];
  return typeof value['value'] === 'string' ? value['value'] : undefined;
}

if (import.meta.main) {
  const root = join(import.meta.dirname, '..');
  const files = readSourceTree(root);
  report('limits', checkLimits(files, readJson<Limits>(root, 'limits.json')), `${files.length} files`);
}
