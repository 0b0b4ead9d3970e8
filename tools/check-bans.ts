/** Refuses what no lint rule refuses for us: see CONTRIBUTING.md for the reason behind each. */
import { join } from 'node:path';
import {
  isTestFile,
  type Finding,
  type Node,
  isNode,
  readSourceTree,
  report,
  type SourceFile,
  walk,
} from './source-tree.ts';

/** Files that translate another program's messages: each is one table with its sources. */
const MESSAGE_TABLES = /\/runtime-failure\.ts$/;

/** Methods that look into a text. */
const TEXT_METHODS = new Set(['includes', 'match', 'startsWith', 'endsWith', 'indexOf', 'search']);

/** A path that exists on one machine only. */
const MACHINE_PATH = /(?:^|[\s'"`(=:])(\/(?:work|home\/[a-z][^/\s]*|Users|root|mnt)\/[^\s'"`)]*)/;

const NOTE_TO_SELF = /\b(TODO|FIXME|XXX|HACK)\b/;
const ISSUE = /#\d+|https?:\/\//;

type Ban = (source: SourceFile, node: Node, parents: readonly Node[]) => string | undefined;

/** Every place where one of the bans is broken. */
export function checkBans(files: readonly SourceFile[]): readonly Finding[] {
  return files.flatMap((source) => [...bannedCode(source), ...bannedComments(source), ...machinePaths(source)]);
}

function bannedCode(source: SourceFile): readonly Finding[] {
  const findings: Finding[] = [];
  const product = source.file.startsWith('packages/') && !isTestFile(source.file);
  const bans: readonly Ban[] = product ? [...EVERYWHERE, ...IN_THE_PRODUCT] : EVERYWHERE;
  walk(source.program, (node, parents) => {
    for (const ban of bans) {
      const message = ban(source, node, parents);
      if (message !== undefined) findings.push({ file: source.file, line: source.lineAt(node.start), message });
    }
  });
  return findings;
}

const emptyCatch: Ban = (_source, node) => {
  if (node.type !== 'CatchClause' || !isNode(node['body'])) return undefined;
  const { body } = node['body'];
  return Array.isArray(body) && body.length === 0
    ? 'empty catch: translate the error, release something, or let it pass'
    : undefined;
};

const throwOfAClass: Ban = (_source, node) => {
  if (node.type !== 'ThrowStatement' || !isNode(node['argument'])) return undefined;
  const { argument } = node;
  const name = argument.type === 'Identifier' ? String(argument['name']) : '';
  return /^[A-Z]/.test(name) ? `throw new ${name}(…), not the class itself` : undefined;
};

const throwOfPlainError: Ban = (source, node) => {
  if (node.type !== 'ThrowStatement' || !isNode(node['argument']) || !source.file.startsWith('packages/engine/'))
    return undefined;
  const { callee } = node['argument'];
  const plain = node['argument'].type === 'NewExpression' && isNode(callee) && callee['name'] === 'Error';
  return plain ? 'throw an EngineError with a kind (or call invariant): an Error without one has no status' : undefined;
};

const matchOnMessage: Ban = (source, node) => {
  if (node.type !== 'CallExpression' || MESSAGE_TABLES.test(source.file) || !isNode(node['callee'])) return undefined;
  const { object, property } = node['callee'];
  if (!isNode(object) || !isNode(property)) return undefined;
  const method = String(property['name']);
  const [first] = Array.isArray(node['arguments']) ? node['arguments'] : [];
  const onMessage = TEXT_METHODS.has(method) && isMessage(object);
  return onMessage || (method === 'test' && isMessage(first))
    ? 'never match on a message: use the kind or the code (another program’s words belong in runtime-failure.ts)'
    : undefined;
};

const onData: Ban = (_source, node) => {
  if (node.type !== 'CallExpression' || !isNode(node['callee']) || !isNode(node['callee']['property']))
    return undefined;
  const [event] = Array.isArray(node['arguments']) ? node['arguments'] : [];
  const listens = ['on', 'addListener'].includes(String(node['callee']['property']['name']));
  return listens && isNode(event) && event['value'] === 'data'
    ? "streams are pulled: for await, not .on('data')"
    : undefined;
};

const moduleState: Ban = (_source, node, parents) => {
  const top = parents.length === 1 || (parents.length === 2 && parents[1]?.type === 'ExportNamedDeclaration');
  if (node.type !== 'VariableDeclaration' || !top || node['kind'] === 'const') return undefined;
  return 'no module holds state: give it to a function or a class';
};

const EVERYWHERE: readonly Ban[] = [emptyCatch, throwOfAClass, matchOnMessage];
const IN_THE_PRODUCT: readonly Ban[] = [throwOfPlainError, onData, moduleState];

function isMessage(value: unknown): boolean {
  if (!isNode(value)) return false;
  if (value.type === 'ChainExpression') return isMessage(value['expression']);
  return value.type === 'MemberExpression' && isNode(value['property']) && value['property']['name'] === 'message';
}

function bannedComments(source: SourceFile): readonly Finding[] {
  return source.comments
    .filter(({ value }) => NOTE_TO_SELF.test(value) && !ISSUE.test(value))
    .map(({ start }) => ({
      file: source.file,
      line: source.lineAt(start),
      message: 'a note to oneself needs an issue: TODO(#12)',
    }));
}

function machinePaths(source: SourceFile): readonly Finding[] {
  if (isTestFile(source.file) || source.file.startsWith('tools/')) return [];
  return source.text.split('\n').flatMap((line, index) => {
    const path = MACHINE_PATH.exec(line)?.[1];
    return path === undefined
      ? []
      : [{ file: source.file, line: index + 1, message: `${path} is a path of one machine` }];
  });
}

if (import.meta.main) {
  const files = readSourceTree(join(import.meta.dirname, '..'));
  report('bans', checkBans(files), `${files.length} files`);
}
