import { callFunction } from './go-template-functions.ts';
import { fieldOf, type Scope, TemplateError } from './go-template-value.ts';

/** Commands joined by `|`; `assigns` are the variables in front of `:=`. */
export interface Pipeline {
  readonly assigns: readonly string[];
  readonly commands: readonly Command[];
}

/** A function with its arguments, or one operand alone. */
interface Command {
  readonly name: string | undefined;
  readonly operands: readonly Operand[];
}

type Operand =
  | { readonly kind: 'literal'; readonly value: unknown; readonly path: readonly string[] }
  | { readonly kind: 'dot' | 'root'; readonly path: readonly string[] }
  | { readonly kind: 'variable'; readonly name: string; readonly path: readonly string[] }
  | { readonly kind: 'pipeline'; readonly pipeline: Pipeline; readonly path: readonly string[] };

const TOKEN =
  /\s*("(?:[^"\\]|\\.)*"|`[^`]*`|:=|=|[|(),]|\$?(?:\.?[A-Za-z_]\w*)(?:\.[A-Za-z_]\w*)*|(?:\.[A-Za-z_]\w*)+|\$|\.|-?\d+(?:\.\d+)?)/y;

/** @throws TemplateError when `code` is not a pipeline. */
export function parsePipeline(code: string): Pipeline {
  const tokens = tokenize(code);
  const pipeline = readPipeline(tokens);
  if (tokens.length > 0) throw new TemplateError(`unexpected "${tokens[0] ?? ''}" in operand`);
  return pipeline;
}

/** @throws TemplateError when a field is missing or a function refuses its arguments. */
export function evaluate(pipeline: Pipeline, scope: Scope): unknown {
  let piped: readonly unknown[] = [];
  for (const command of pipeline.commands) {
    const values = command.operands.map((operand) => evaluateOperand(operand, scope));
    piped = [command.name === undefined ? values[0] : callFunction(command.name, [...values, ...piped])];
  }
  return piped[0];
}

function tokenize(code: string): string[] {
  const tokens: string[] = [];
  const text = code.trim();
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const token = TOKEN.exec(text)?.[1];
    if (token === undefined) throw new TemplateError(`unexpected "${text.slice(at).trim()}" in command`);
    tokens.push(token);
  }
  return tokens;
}

function readPipeline(tokens: string[]): Pipeline {
  const assigns = readAssigns(tokens);
  const commands = [readCommand(tokens)];
  while (tokens[0] === '|') {
    tokens.shift();
    commands.push(readCommand(tokens));
  }
  return { assigns, commands };
}

function readAssigns(tokens: string[]): readonly string[] {
  const at = tokens.findIndex((token) => token === ':=' || token === '=');
  if (at === -1 || tokens[0] === '(') return [];
  const names = tokens.splice(0, at + 1).filter((token) => token.startsWith('$'));
  return names.map((name) => name.slice(1));
}

function readCommand(tokens: string[]): Command {
  const first = tokens[0];
  const isFunction = first !== undefined && /^[A-Za-z_]\w*$/.test(first) && !LITERALS.has(first);
  if (isFunction) tokens.shift();
  const operands: Operand[] = [];
  while (tokens.length > 0 && tokens[0] !== '|' && tokens[0] !== ')') operands.push(readOperand(tokens));
  if (!isFunction && operands.length === 0) throw new TemplateError('missing value for command');
  if (!isFunction && operands.length > 1) throw new TemplateError(`can't give argument to non-function ${first ?? ''}`);
  return { name: isFunction ? first : undefined, operands };
}

const LITERALS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['nil', null],
]);

function readOperand(tokens: string[]): Operand {
  const token = tokens.shift() ?? '';
  if (token === '(') return readParenthesis(tokens);
  if (LITERALS.has(token)) return { kind: 'literal', value: LITERALS.get(token), path: [] };
  if (token.startsWith('"')) return { kind: 'literal', value: JSON.parse(token), path: [] };
  if (token.startsWith('`')) return { kind: 'literal', value: token.slice(1, -1), path: [] };
  if (/^-?\d/.test(token)) return { kind: 'literal', value: Number(token), path: [] };
  const [head = '', ...path] = token.split('.');
  const fields = path.filter((name) => name !== '');
  if (head === '') return { kind: 'dot', path: fields };
  if (head === '$') return { kind: 'root', path: fields };
  if (head.startsWith('$')) return { kind: 'variable', name: head.slice(1), path: fields };
  if (/^[A-Za-z_]\w*$/.test(token)) {
    return { kind: 'pipeline', pipeline: { assigns: [], commands: [{ name: token, operands: [] }] }, path: [] };
  }
  throw new TemplateError(`unexpected "${token}" in operand`);
}

function readParenthesis(tokens: string[]): Operand {
  const pipeline = readPipeline(tokens);
  if (tokens.shift() !== ')') throw new TemplateError('unclosed left paren');
  const fields = tokens[0]?.startsWith('.') === true && tokens[0] !== '.' ? tokens.shift() : undefined;
  return { kind: 'pipeline', pipeline, path: fields?.split('.').filter((name) => name !== '') ?? [] };
}

function evaluateOperand(operand: Operand, scope: Scope): unknown {
  const whole = `.${operand.path.join('.')}`;
  return operand.path.reduce((value, name) => fieldOf(value, name, whole), startOf(operand, scope));
}

function startOf(operand: Operand, scope: Scope): unknown {
  switch (operand.kind) {
    case 'literal':
      return operand.value;
    case 'dot':
      return scope.dot;
    case 'root':
      return scope.root;
    case 'variable':
      if (!scope.variables.has(operand.name)) throw new TemplateError(`undefined variable "$${operand.name}"`);
      return scope.variables.get(operand.name);
    case 'pipeline':
      return evaluate(operand.pipeline, scope);
    default:
      return operand satisfies never;
  }
}
