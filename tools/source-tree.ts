import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync, type Program } from 'oxc-parser';

/** One finding of a check: where, and what to do about it. */
export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

/** A parsed TypeScript file. `file` is relative to the root of the repository, with forward slashes. */
export interface SourceFile {
  readonly file: string;
  readonly text: string;
  readonly program: Program;
  readonly comments: readonly {
    readonly type: 'Line' | 'Block';
    readonly value: string;
    readonly start: number;
    readonly end: number;
  }[];
  /** 1-based line of an offset in `text`. */
  lineAt(offset: number): number;
}

/** An AST node, read structurally: the checks look at a few fields and walk the rest. */
export type Node = { readonly type: string; readonly start: number; readonly end: number } & Readonly<
  Record<string, unknown>
>;

const SOURCE_GLOBS = [
  'packages/*/src/**/*.ts',
  'native/**/*.ts',
  'tools/**/*.ts',
  'bench/**/*.ts',
  'conformance/**/*.ts',
  'examples/**/*.ts',
];
const LEFT_OUT = /(^|\/)(node_modules|build|dist|fixtures)(\/|$)/;

/** Every TypeScript file of the project below `root`, parsed, in a stable order. Ends the check when one is not TypeScript. */
export function readSourceTree(root: string): readonly SourceFile[] {
  const files = globSync(SOURCE_GLOBS, { cwd: root, exclude: (path) => LEFT_OUT.test(path) });
  return files
    .filter((file) => !file.endsWith('.d.ts') && !LEFT_OUT.test(file))
    .sort()
    .map((file) => parseOrExit(file, readFileSync(join(root, file), 'utf8')));
}

function parseOrExit(file: string, text: string): SourceFile {
  try {
    return parseSource(file, text);
  } catch (error) {
    console.error(error instanceof SyntaxError ? error.message : error);
    return process.exit(1);
  }
}

/** @throws SyntaxError when `text` is not TypeScript, naming file and line. */
export function parseSource(file: string, text: string): SourceFile {
  const parsed = parseSync(file, text);
  const lineStarts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lineStarts.push(at + 1);
  const lineAt = (offset: number): number => {
    let low = 0;
    let high = lineStarts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  };
  const failure = parsed.errors[0];
  if (failure !== undefined) {
    throw new SyntaxError(`${file}:${lineAt(failure.labels[0]?.start ?? 0)}: ${failure.message}`);
  }
  return { file, text, program: parsed.program, comments: parsed.comments, lineAt };
}

/** Calls `visit` for every node below `root`, parents first. `visit` returns false to leave out what is below. */
export function walk(root: unknown, visit: (node: Node, parents: readonly Node[]) => boolean | void): void {
  const parents: Node[] = [];
  const step = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(step);
    if (!isNode(value)) return;
    if (visit(value, parents) === false) return;
    parents.push(value);
    for (const key of Object.keys(value)) if (key !== 'parent') step(value[key]);
    parents.pop();
  };
  step(root);
}

export function isNode(value: unknown): value is Node {
  return (
    typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string' && 'start' in value
  );
}

/** Tests, suites and the kit they use: they may reach further than the code they prove. */
export function isTestFile(file: string): boolean {
  return /\.(test|suite|bench)\.ts$/.test(file) || file.startsWith('packages/testkit/') || /(^|\/)test\//.test(file);
}

/** Reads a JSON file of the repository; its shape is the caller's to know. */
export function readJson<T>(root: string, file: string): T {
  return JSON.parse(readFileSync(join(root, file), 'utf8')) as T;
}

/** Prints findings as `file:line: message`, sets the exit code, and says in one line what was looked at. */
export function report(check: string, findings: readonly Finding[], lookedAt: string): void {
  for (const { file, line, message } of findings) console.error(`${file}:${line}: ${message}`);
  if (findings.length > 0) {
    console.error(`${check}: ${findings.length} finding(s) in ${lookedAt}`);
    process.exitCode = 1;
    return;
  }
  console.log(`${check}: ${lookedAt}, nothing to report`);
}
