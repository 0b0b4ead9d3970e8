/** The template cannot be read, or does not fit what it is applied to. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

/** What an action sees: `.`, `$` and its variables. */
export interface Scope {
  readonly dot: unknown;
  readonly root: unknown;
  readonly variables: Map<string, unknown>;
}

/** Go's truth: not false, not 0, not nil, not empty. */
export function isTruthy(value: unknown): boolean {
  if (value === null || value === undefined) return false;
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object') return Object.keys(value).length > 0;
  return value !== false && value !== 0 && value !== '';
}

/** Go's `%v`: `map[a:1 b:2]`, `[x y]`, `<no value>`. */
export function printValue(value: unknown): string {
  if (value === null || value === undefined) return '<no value>';
  if (Array.isArray(value)) return `[${value.map((item) => printInner(item)).join(' ')}]`;
  if (typeof value === 'object') {
    const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
    return `map[${entries.map(([key, item]) => `${key}:${printInner(item)}`).join(' ')}]`;
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function printInner(value: unknown): string {
  return value === null || value === undefined ? '<nil>' : printValue(value);
}

/** JSON as templates and `--format json` give it: nothing is escaped. Source: docker/cli templates.go. */
export function plainJson(value: unknown): string {
  return JSON.stringify(value ?? null);
}

/** JSON as Go's encoder writes it by itself: `<`, `>` and `&` are escaped. Source: encoding/json, HTMLEscape. */
export function goJson(value: unknown): string {
  const escapes: Readonly<Record<string, string>> = {
    '<': '\\u003c',
    '>': '\\u003e',
    '&': '\\u0026',
    '\u2028': '\\u2028',
    '\u2029': '\\u2029',
  };
  return plainJson(value).replace(/[<>&\u2028\u2029]/g, (letter) => escapes[letter] ?? letter);
}

/** The value of a key; a missing one is an error, as with Docker's `missingkey=error`. */
export function fieldOf(value: unknown, name: string, path: string): unknown {
  if (typeof value !== 'object' || value === null) {
    throw new TemplateError(`executing "" at <${path}>: can't evaluate field ${name} in ${printInner(value)}`);
  }
  const entry = Object.entries(value).find(([key]) => key === name);
  if (entry === undefined) throw new TemplateError(`executing "" at <${path}>: map has no entry for key "${name}"`);
  return entry[1];
}
