import { EngineError, splitVersionPrefix, type ApiVersion, type Endpoint } from '@fairlead/protocol';

/** A path as routes are matched against: prefix taken off, decoded, cleaned. */
export interface RequestPath {
  /** From the prefix, as written; undefined without one. */
  readonly version: ApiVersion | undefined;
  readonly segments: readonly string[];
  readonly searchParams: URLSearchParams;
}

export interface Match<R> {
  readonly row: R;
  readonly params: ReadonlyMap<string, string>;
}

/** What can be routed to: a method and a path pattern with `{name}` and at most one `{name...}`. */
export type Routable = Pick<Endpoint, 'method' | 'path' | 'unversioned'>;

/**
 * Splits a request target after Docker's manners.
 *
 * Percent signs are decoded before routing, and repeated slashes and dot segments are cleaned where Docker would redirect
 * (engine-api 1.1 advises to accept them). An absolute target (`GET http://host/path`) is cut to its path.
 *
 * @throws EngineError 'invalid-argument' when the percent-encoding is broken.
 */
export function parseTarget(target: string): RequestPath {
  const origin = ABSOLUTE.exec(target);
  const relative = origin === null ? target : target.slice(origin[0].length);
  const question = relative.indexOf('?');
  const rawPath = question < 0 ? relative : relative.slice(0, question);
  const searchParams = new URLSearchParams(question < 0 ? '' : relative.slice(question + 1));
  const { version, path } = splitVersionPrefix(cleanPath(decode(rawPath)));
  return { version, segments: path === '/' ? [] : path.slice(1).split('/'), searchParams };
}

/**
 * Finds rows of a table by method and path. A literal segment wins over `{name}`, and `{name}` over `{name...}`.
 *
 * @throws EngineError 'internal' when two rows have the same method and path: a bug in the table.
 */
export class Router<R extends Routable> {
  readonly #rows = new Map<string, Compiled<R>[]>();

  constructor(rows: readonly R[]) {
    for (const row of rows) {
      const compiled = compile(row);
      const bucket = this.#rows.get(row.method) ?? [];
      if (bucket.some((other) => other.shape === compiled.shape)) {
        throw new EngineError('internal', `Cannot route ${row.method} ${row.path}: there are two rows for it`);
      }
      this.#rows.set(
        row.method,
        [...bucket, compiled].toSorted((a, b) => compareRank(a.rank, b.rank)),
      );
    }
  }

  match(method: string, path: RequestPath): Match<R> | undefined {
    for (const compiled of this.#rows.get(method) ?? []) {
      if (compiled.row.unversioned === true && path.version !== undefined) continue;
      const params = matchSegments(compiled, path.segments);
      if (params !== undefined) return { row: compiled.row, params };
    }
    return undefined;
  }
}

interface Compiled<R> {
  readonly row: R;
  readonly parts: readonly Part[];
  readonly hasRest: boolean;
  /** The path with its variables' names left out: equal shapes match the same paths. */
  readonly shape: string;
  readonly rank: readonly number[];
}

type Part =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'one' | 'rest'; readonly name: string };

const ABSOLUTE = /^[a-z]+:\/\/[^/?]*/i;
const VARIABLE = /^\{([A-Za-z]+)(\.\.\.)?\}$/;
const RANK = { literal: 0, one: 1, rest: 2 } as const;

function compile<R extends Routable>(row: R): Compiled<R> {
  const parts = row.path.split('/').slice(1).map(parsePart);
  return {
    row,
    parts,
    hasRest: parts.some((part) => part.kind === 'rest'),
    shape: parts.map((part) => (part.kind === 'literal' ? `=${part.text}` : part.kind)).join('/'),
    rank: parts.map((part) => RANK[part.kind]),
  };
}

function parsePart(text: string): Part {
  const variable = VARIABLE.exec(text);
  const name = variable?.[1];
  if (variable === null || name === undefined) return { kind: 'literal', text };
  return { kind: variable[2] === undefined ? 'one' : 'rest', name };
}

function compareRank(a: readonly number[], b: readonly number[]): number {
  for (const [index, rank] of a.entries()) {
    const other = b[index];
    if (other === undefined) break;
    if (rank !== other) return rank - other;
  }
  // Of two with the same beginning, the longer one says more about the path.
  return b.length - a.length;
}

function matchSegments<R>(compiled: Compiled<R>, segments: readonly string[]): ReadonlyMap<string, string> | undefined {
  const { parts } = compiled;
  if (compiled.hasRest ? segments.length < parts.length : segments.length !== parts.length) return undefined;
  const params = new Map<string, string>();
  let at = 0;
  for (const part of parts) {
    const segment = segments[at];
    if (segment === undefined) return undefined;
    if (part.kind === 'literal') {
      if (segment !== part.text) return undefined;
      at += 1;
      continue;
    }
    // There is at most one `{name...}`, so it takes whatever the other parts leave.
    const width = part.kind === 'one' ? 1 : segments.length - parts.length + 1;
    params.set(part.name, segments.slice(at, at + width).join('/'));
    at += width;
  }
  return params;
}

function decode(path: string): string {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch (cause) {
    throw new EngineError('invalid-argument', `invalid URL escape in ${JSON.stringify(path)}`, { cause });
  }
}

/** Go's path.Clean for absolute paths, without a trailing slash. */
function cleanPath(path: string): string {
  if (!path.includes('//') && !path.includes('/.') && !(path.length > 1 && path.endsWith('/'))) return path;
  const cleaned: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..') cleaned.pop();
    else cleaned.push(segment);
  }
  return `/${cleaned.join('/')}`;
}
