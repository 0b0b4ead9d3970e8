import { evaluate, parsePipeline, type Pipeline } from './go-template-pipeline.ts';
import { isTruthy, printValue, type Scope, TemplateError } from './go-template-value.ts';

/** A parsed `--format`. */
export interface Template {
  /** @throws TemplateError when the value has no such field. */
  render(value: unknown): string;
}

/** Longer templates are refused: no person types one. */
export const TEMPLATE_CHARS_MAX: number = 64 * 1024;

/**
 * Reads a template in the part of Go's text/template that `--format` is used with: fields, variables, pipes, `if`,
 * `else`, `with`, `range`, `{{-` and `-}}`, comments, and Docker's functions.
 *
 * `\t` and `\n` outside of actions are the characters they stand for, as in docker/cli formatter.go.
 * @throws TemplateError `template parsing error: …`.
 */
export function parseTemplate(source: string): Template {
  if (source.length > TEMPLATE_CHARS_MAX) throw new TemplateError(`template is longer than ${TEMPLATE_CHARS_MAX}`);
  const parts = cut(source);
  const nodes = parseNodes(parts, []);
  if (parts.length > 0) throw new TemplateError('unexpected {{end}}');
  return { render: (value) => renderAll(nodes, { dot: value, root: value, variables: new Map() }) };
}

type Part = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'action'; readonly code: string };

interface Block {
  readonly pipeline: Pipeline;
  readonly body: readonly Node[];
  readonly otherwise: readonly Node[];
}

type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly pipeline: Pipeline }
  | ({ readonly kind: 'if' | 'with' | 'range' } & Block);

/** Text and actions in turn; the action's trim marks are applied to the text beside it. */
function cut(source: string): Part[] {
  const parts: Part[] = [];
  let at = 0;
  let trimNext = false;
  for (const match of source.matchAll(ACTION)) {
    const [whole, opening = '', code = '', closing = ''] = match;
    let text = source.slice(at, match.index);
    if (trimNext) text = text.trimStart();
    if (opening === '{{-') text = text.trimEnd();
    parts.push({ kind: 'text', text: unescapeText(text) });
    if (!code.trim().startsWith('/*')) parts.push({ kind: 'action', code: code.trim() });
    trimNext = closing === '-}}';
    at = match.index + whole.length;
  }
  const tail = source.slice(at);
  if (tail.includes('{{')) throw new TemplateError('unclosed action');
  parts.push({ kind: 'text', text: unescapeText(trimNext ? tail.trimStart() : tail) });
  return parts;
}

/** Quoted text inside an action may hold braces. */
const ACTION = /(\{\{(?:-(?=\s))?)((?:"(?:[^"\\]|\\.)*"|`[^`]*`|[^"`])*?)((?:(?<=\s)-)?\}\})/g;

function unescapeText(text: string): string {
  return text.replaceAll('\\t', '\t').replaceAll('\\n', '\n');
}

/** Reads until one of the words of `until` stands at the front of `parts`, or to the end. */
function parseNodes(parts: Part[], until: readonly string[]): Node[] {
  const nodes: Node[] = [];
  for (let part = parts[0]; part !== undefined; part = parts[0]) {
    if (part.kind === 'text') {
      nodes.push(part);
      parts.shift();
      continue;
    }
    const [word = ''] = part.code.split(/\s/, 1);
    if (until.includes(word)) return nodes;
    if (word === 'else' || word === 'end') throw new TemplateError(`unexpected {{${word}}}`);
    parts.shift();
    nodes.push(isBlockWord(word) ? parseBlock(word, part.code, parts) : print(part.code));
  }
  if (until.length > 0) throw new TemplateError('unexpected EOF');
  return nodes;
}

function isBlockWord(word: string): word is 'if' | 'with' | 'range' {
  return word === 'if' || word === 'with' || word === 'range';
}

function print(code: string): Node {
  return { kind: 'print', pipeline: parsePipeline(code) };
}

function parseBlock(kind: 'if' | 'with' | 'range', code: string, parts: Part[]): Node {
  const pipeline = parsePipeline(code.slice(kind.length));
  const body = parseNodes(parts, ['else', 'end']);
  return { kind, pipeline, body, otherwise: parseElse(parts) };
}

function parseElse(parts: Part[]): readonly Node[] {
  const part = parts.shift();
  if (part?.kind !== 'action' || !part.code.startsWith('else')) return [];
  const chained = part.code.slice('else'.length).trim();
  if (chained.startsWith('if')) return [parseBlock('if', chained, parts)];
  const nodes = parseNodes(parts, ['end']);
  parts.shift();
  return nodes;
}

function renderAll(nodes: readonly Node[], scope: Scope): string {
  const inner: Scope = { ...scope, variables: new Map(scope.variables) };
  return nodes.map((node) => renderNode(node, inner)).join('');
}

function renderNode(node: Node, scope: Scope): string {
  switch (node.kind) {
    case 'text':
      return node.text;
    case 'print': {
      const value = evaluate(node.pipeline, scope);
      const [name] = node.pipeline.assigns;
      if (name === undefined) return printValue(value);
      scope.variables.set(name, value);
      return '';
    }
    case 'if':
      return renderAll(isTruthy(evaluate(node.pipeline, scope)) ? node.body : node.otherwise, scope);
    case 'with': {
      const value = evaluate(node.pipeline, scope);
      return isTruthy(value)
        ? renderAll(node.body, bind(node, { ...scope, dot: value }, [value]))
        : renderAll(node.otherwise, scope);
    }
    case 'range':
      return renderRange(node, scope);
    default:
      return node satisfies never;
  }
}

function renderRange(node: Block, scope: Scope): string {
  const entries = entriesOf(evaluate(node.pipeline, scope));
  if (entries.length === 0) return renderAll(node.otherwise, scope);
  return entries
    .map(([key, value]) => {
      const bound = node.pipeline.assigns.length === 2 ? [key, value] : [value];
      return renderAll(node.body, bind(node, { ...scope, dot: value }, bound));
    })
    .join('');
}

function bind(node: Block, scope: Scope, values: readonly unknown[]): Scope {
  const variables = new Map(scope.variables);
  for (const [at, name] of node.pipeline.assigns.entries()) variables.set(name, values[at]);
  return { ...scope, variables };
}

/** Maps are walked in the order of their keys, as Go does. */
function entriesOf(value: unknown): readonly (readonly [unknown, unknown])[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value.map((item: unknown, index) => [index, item]);
  if (typeof value !== 'object') throw new TemplateError(`range can't iterate over ${printValue(value)}`);
  return Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
