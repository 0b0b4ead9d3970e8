import type { Endpoint } from './endpoint.ts';

/** A row that fits a path, with what stands for its names. */
export interface Match<E extends { readonly method: string; readonly path: string }> {
  readonly row: E;
  readonly params: Readonly<Record<string, string>>;
}

interface Pattern<E> {
  readonly row: E;
  readonly segments: readonly string[];
}

/** Finds rows by method and path. Some thirty rows: they are tried one after the other, by the number of their segments. */
export class HubRouter<E extends { readonly method: string; readonly path: string } = Endpoint> {
  readonly #byCount = new Map<string, Pattern<E>[]>();
  readonly #paths: readonly (readonly string[])[];

  constructor(rows: readonly E[]) {
    for (const row of rows) {
      const segments = row.path.split('/');
      const key = `${row.method} ${segments.length}`;
      this.#byCount.set(key, [...(this.#byCount.get(key) ?? []), { row, segments }]);
    }
    this.#paths = rows.map(({ path }) => path.split('/'));
  }

  match(method: string, path: string): Match<E> | undefined {
    const segments = path.split('/');
    for (const { row, segments: pattern } of this.#byCount.get(`${method} ${segments.length}`) ?? []) {
      const params = paramsOf(pattern, segments);
      if (params !== undefined) return { row, params };
    }
    return undefined;
  }

  /** True when some other method is served at this path. */
  hasPath(path: string): boolean {
    const segments = path.split('/');
    return this.#paths.some(
      (pattern) => pattern.length === segments.length && paramsOf(pattern, segments) !== undefined,
    );
  }
}

function paramsOf(pattern: readonly string[], segments: readonly string[]): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  for (const [at, want] of pattern.entries()) {
    const have = segments[at] ?? '';
    if (!want.startsWith(':')) {
      if (want !== have) return undefined;
      continue;
    }
    const value = decoded(have);
    if (value === undefined || value === '') return undefined;
    params[want.slice(1)] = value;
  }
  return params;
}

function decoded(segment: string): string | undefined {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    // Not an encoding: no such path.
    return undefined;
  }
}
