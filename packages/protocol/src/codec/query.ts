import type { Scalar } from './scalars.ts';
import { versionAtLeast, type ApiVersion } from '../version.ts';

/** The parameters of an endpoint, by key. */
export type QueryShape = Readonly<Record<string, Scalar<unknown>>>;

/** What decoding gives and encoding takes: every parameter is optional. */
export type QueryValues<S extends QueryShape> = {
  readonly [K in keyof S]?: ([S[K]] extends [never] ? never : S[K] extends Scalar<infer T> ? T : never) | undefined;
};

/** The shape of an endpoint without parameters. */
export type NoQuery = Readonly<Record<string, never>>;

/** The shape that reads and writes `Q`: one scalar for every key. */
export type ShapeOf<Q extends object> = { readonly [K in keyof Q]-?: Scalar<Exclude<Q[K], undefined>> };

/**
 * Reads the parameters an endpoint knows; others are ignored, as Docker does.
 *
 * A parameter that is newer than `version` counts as absent.
 * @throws EngineError 'invalid-argument' in Docker's words.
 */
export function decodeQuery<S extends QueryShape>(
  shape: S,
  params: URLSearchParams,
  version: ApiVersion,
): QueryValues<S> {
  const values: Record<string, unknown> = {};
  for (const [key, scalar] of Object.entries(shape)) {
    const known = scalar.since === undefined || versionAtLeast(version, scalar.since);
    const texts = known ? params.getAll(key) : [];
    const value = texts.length === 0 ? scalar.absent : scalar.decode(texts, key);
    if (value !== undefined) values[key] = value;
  }
  return values as QueryValues<S>;
}

/** Writes the parameters that are given; those the engine's version does not know are left out. */
export function encodeQuery<S extends QueryShape>(
  shape: S,
  values: QueryValues<S>,
  version: ApiVersion,
): URLSearchParams {
  const params = new URLSearchParams();
  for (const [key, scalar] of Object.entries(shape)) {
    const value: unknown = values[key];
    if (value === undefined) continue;
    if (scalar.since !== undefined && !versionAtLeast(version, scalar.since)) continue;
    for (const text of scalar.encode(value)) params.append(key, text);
  }
  return params;
}
