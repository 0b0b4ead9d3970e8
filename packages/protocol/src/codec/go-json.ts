import * as v from 'valibot';
import { EngineError } from '../errors.ts';
import { entriesOf, goTypeOf, schemaAt } from './go-schema.ts';
import { explainJson } from './json-syntax.ts';

/** Bodies of JSON requests are small: Docker's own have a few KB. Larger ones are refused as 'too-large'. */
export const JSON_BODY_BYTES_MAX: number = 4 * 1024 * 1024;

/** Docker's deepest request has six levels. Go itself refuses at 10,000. */
export const JSON_DEPTH_MAX = 64;

/**
 * Reads a request's body as Go would: keys match without case, unknown fields are ignored, null is absent.
 *
 * An empty text counts as `{}`; whether a body must be there is the endpoint's to say.
 * @throws EngineError 'invalid-argument' in Docker's words, 'too-large' beyond `JSON_BODY_BYTES_MAX` characters.
 */
export function decodeBody<S extends v.GenericSchema>(schema: S, text: string): v.InferOutput<S> {
  const document = text.trim() === '' ? {} : parseJson(text);
  const result = v.safeParse(schema, matchKeys(schema, document ?? {}));
  if (result.success) return result.output;
  throw new EngineError('invalid-argument', refusal(schema, result.issues[0]));
}

/**
 * Parses one JSON document.
 *
 * @throws EngineError 'invalid-argument' `invalid JSON: …` or `unexpected content after JSON`, 'too-large' beyond `JSON_BODY_BYTES_MAX` characters.
 */
export function parseJson(text: string): unknown {
  if (text.length > JSON_BODY_BYTES_MAX) throw new EngineError('too-large', 'request body too large');
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new EngineError('invalid-argument', explainJson(text), { cause });
  }
  if (isDeeperThan(document, JSON_DEPTH_MAX))
    throw new EngineError('invalid-argument', 'invalid JSON: exceeded max depth');
  return document;
}

/** Gives every known field the schema's spelling; of several spellings the last one in the document wins, as in Go. */
function matchKeys(schema: v.GenericSchema, input: unknown): unknown {
  if (typeof input !== 'object' || input === null) return input;
  if (Array.isArray(input)) return input.map((element, index) => matchChild(schema, index, element));
  const entries = entriesOf(schema);
  const spellings = entries === undefined ? undefined : spellingsOf(entries);
  const matched: [string, unknown][] = [];
  for (const [key, value] of Object.entries(input)) {
    const name = spellings === undefined ? key : spellings.get(key.toLowerCase());
    if (name !== undefined) matched.push([name, matchChild(schema, name, value)]);
  }
  return Object.fromEntries(matched);
}

function matchChild(schema: v.GenericSchema, key: PropertyKey, value: unknown): unknown {
  const child = schemaAt(schema, key);
  return child === undefined ? value : matchKeys(child, value);
}

function spellingsOf(entries: Readonly<Record<string, unknown>>): ReadonlyMap<string, string> {
  return new Map(Object.keys(entries).map((name) => [name.toLowerCase(), name]));
}

function refusal(schema: v.GenericSchema, issue: v.BaseIssue<unknown>): string {
  const isTypeError = issue.kind === 'schema' || GO_RANGE_ISSUES.has(issue.type) || isForeign(issue);
  if (!isTypeError) return issue.message;
  const { struct, type, names } = describePath(schema, issue);
  const field = names.length === 0 ? 'value' : `struct field ${struct}.${names.join('.')}`;
  return `invalid JSON: json: cannot unmarshal ${goKind(issue.input)} into Go ${field} of type ${type}`;
}

// rawTransform, which checks maps, gives its issues no kind of their own.
function isForeign(issue: v.BaseIssue<unknown>): boolean {
  return issue.type === 'raw_transform';
}

/** Go names the innermost struct, then the path of fields from the outermost; keys of maps and places in lists are not in it. */
function describePath(
  root: v.GenericSchema,
  issue: v.BaseIssue<unknown>,
): { readonly struct: string; readonly type: string; readonly names: readonly string[] } {
  let schema = root;
  let struct = goTypeOf(root);
  const names: string[] = [];
  for (const item of issue.path ?? []) {
    if (entriesOf(schema) !== undefined) {
      struct = goTypeOf(schema);
      names.push(String(item.key));
    }
    schema = schemaAt(schema, propertyKey(item.key)) ?? schema;
  }
  return { struct, type: goTypeOf(schema), names };
}

function propertyKey(key: unknown): PropertyKey {
  return typeof key === 'number' ? key : String(key);
}

const GO_RANGE_ISSUES: ReadonlySet<string> = new Set(['integer', 'min_value', 'max_value']);

function goKind(input: unknown): string {
  if (input === null) return 'null';
  if (Array.isArray(input)) return 'array';
  if (typeof input === 'boolean') return 'bool';
  if (typeof input !== 'number') return typeof input;
  return Number.isInteger(input) && Math.abs(input) < 2 ** 63 ? 'number' : `number ${input}`;
}

function isDeeperThan(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (depth === 0) return true;
  return Object.values(value).some((child) => isDeeperThan(child, depth - 1));
}
