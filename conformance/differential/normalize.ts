import type { Answer } from './step.ts';

const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)/g;
/** Keys whose values are a run's own: numbers and paths. */
const VOLATILE_KEYS: ReadonlySet<string> = new Set([
  'Pid',
  'Created',
  'time',
  'timeNano',
  'LowerDir',
  'MergedDir',
  'UpperDir',
  'WorkDir',
]);

/** Keys of lists that come in any order from dockerd: it walks a map. */
const UNORDERED_KEYS: ReadonlySet<string> = new Set(['ExecIDs']);

/** Replaces ids, times, pids and paths of this run; the kept ids become their names. */
export function normalize(answer: Answer, kept: ReadonlyMap<string, string>): Answer {
  return { ...answer, body: walk(answer.body, kept) };
}

function walk(value: unknown, kept: ReadonlyMap<string, string>): unknown {
  if (typeof value === 'string') return text(value, kept);
  if (Array.isArray(value)) return value.map((item) => walk(item, kept));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [
    text(key, kept),
    VOLATILE_KEYS.has(key) ? kindOf(item) : inOrder(key, walk(item, kept)),
  ]);
  return Object.fromEntries(entries);
}

function inOrder(key: string, value: unknown): unknown {
  return UNORDERED_KEYS.has(key) && Array.isArray(value)
    ? value.map(String).toSorted((a, b) => (a < b ? -1 : 1))
    : value;
}

function text(value: string, kept: ReadonlyMap<string, string>): string {
  let plain = value;
  for (const [name, id] of kept) {
    plain = plain.replaceAll(id, `<${name}>`).replaceAll(id.replace('sha256:', '').slice(0, 12), `<${name}12>`);
  }
  return plain
    .replace(TIME, (time) => (time.startsWith('0001-') ? time : '<time>'))
    .replace(/[0-9a-f]{64}/g, '<id>')
    .replace(/\b(?:About a minute|Less than a second|\d+ (?:second|minute)s?)\b/g, '<duration>');
}

/** That it is there, and of which kind, must agree. */
function kindOf(value: unknown): string {
  return value === 0 || value === '' ? `empty ${typeof value}` : typeof value;
}
