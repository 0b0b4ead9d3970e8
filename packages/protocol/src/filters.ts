import { EngineError } from './errors.ts';

/** What a list or event query asks for: different keys must all match, of one key's values any. Never holds an empty list. */
export type Filters = ReadonlyMap<string, readonly string[]>;

/** Matches everything. */
export const NO_FILTERS: Filters = new Map();

/**
 * Reads both forms clients send: `{"key":["v"]}` and `{"key":{"v":true}}`, where the boolean says nothing.
 *
 * Empty text, `null`, `{}` and an empty list are no filter.
 * @throws EngineError 'invalid-argument' `invalid filter`.
 */
export function parseFilters(text: string): Filters {
  if (text === '') return NO_FILTERS;
  const filters = new Map<string, readonly string[]>();
  for (const [key, values] of Object.entries(parseObject(text))) {
    const list = filterValues(values);
    if (list.length > 0) filters.set(key, list);
  }
  return filters;
}

/** The form the docker CLI sends. */
export function encodeFilters(filters: Filters): string {
  const document = [...filters].map(([key, values]) => [key, Object.fromEntries(values.map((value) => [value, true]))]);
  return JSON.stringify(Object.fromEntries(document));
}

/** @throws EngineError 'invalid-argument' `invalid filter 'key'` for the first key that is not in `known`. */
export function assertFilterKeys(filters: Filters, known: readonly string[]): void {
  for (const key of filters.keys()) {
    if (!known.includes(key)) throw new EngineError('invalid-argument', `invalid filter '${key}'`);
  }
}

/** `undefined` when the key is absent. @throws EngineError 'invalid-argument' when it is not true, false, 1 or 0, or both. */
export function booleanFilter(filters: Filters, key: string): boolean | undefined {
  const values = filters.get(key);
  if (values === undefined) return undefined;
  const truths = new Set(values.map((value) => BOOLEAN_WORDS.get(value.toLowerCase())));
  const [truth] = truths;
  if (truths.size !== 1 || truth === undefined) {
    throw new EngineError('invalid-argument', `invalid filter '${key}=[${values.join(' ')}]'`);
  }
  return truth;
}

/** True when every wanted label is there: `k` asks for the key, `k=v` also for its value. No wanted label matches all. */
export function matchesLabels(
  wanted: readonly string[] | undefined,
  labels: Readonly<Record<string, string>> | null | undefined,
): boolean {
  return (wanted ?? []).every((term) => {
    const equals = term.indexOf('=');
    const key = equals < 0 ? term : term.slice(0, equals);
    if (labels === null || labels === undefined || !Object.hasOwn(labels, key)) return false;
    return equals < 0 || labels[key] === term.slice(equals + 1);
  });
}

const BOOLEAN_WORDS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
]);

function parseObject(text: string): object {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new EngineError('invalid-argument', 'invalid filter', { cause });
  }
  if (document === null) return {};
  if (typeof document !== 'object' || Array.isArray(document))
    throw new EngineError('invalid-argument', 'invalid filter');
  return document;
}

function filterValues(values: unknown): readonly string[] {
  if (values === null) return [];
  if (Array.isArray(values)) return values.map(filterValue);
  if (typeof values !== 'object') throw new EngineError('invalid-argument', 'invalid filter');
  return Object.entries(values).map(([value, truth]) => {
    if (typeof truth !== 'boolean') throw new EngineError('invalid-argument', 'invalid filter');
    return value;
  });
}

function filterValue(value: unknown): string {
  if (typeof value !== 'string') throw new EngineError('invalid-argument', 'invalid filter');
  return value;
}
