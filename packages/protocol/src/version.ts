import { EngineError } from './errors.ts';

/** A Docker API version, `major.minor`, without the `v`. */
export type ApiVersion = string;

/**
 * The newest version the engine answers as.
 *
 * 1.44 switches on multiplexed content types, `signal` on stop and restart, ConsoleSize and refusal of unknown wait conditions, all
 * of which are kept; 1.45 and later drop or rename fields of inspect. docker CLI ≥ 29.0 refuses engines below 1.44.
 */
export const API_VERSION: ApiVersion = '1.44';

/** The oldest version the engine answers as. Source: Docker 28. */
export const MIN_API_VERSION: ApiVersion = '1.24';

/** What a client assumes when a ping carries no `Api-Version` header. Source: docker CLI, client.NegotiateAPIVersion. */
export const ASSUMED_API_VERSION: ApiVersion = '1.24';

/** Numeric comparison component by component: negative when `a` is older, 0 when equal. Missing components count as 0. */
export function compareVersions(a: ApiVersion, b: ApiVersion): number {
  const left = a.split('.');
  const right = b.split('.');
  for (let i = 0; i < Math.max(left.length, right.length); i += 1) {
    const difference = Number(left[i] ?? 0) - Number(right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** True when `version` is `gate` or newer. */
export function versionAtLeast(version: ApiVersion, gate: ApiVersion): boolean {
  return compareVersions(version, gate) >= 0;
}

export interface VersionedPath {
  /** As the client wrote it, or undefined when the path has no version prefix. */
  readonly version: ApiVersion | undefined;
  /** The path behind the prefix; begins with a slash. */
  readonly path: string;
}

/** Takes a `/v1.44` prefix off a path. Anything but digits and dots behind the `v` is no prefix. */
export function splitVersionPrefix(path: string): VersionedPath {
  const match = PREFIX.exec(path);
  const version = match?.[1];
  if (match === null || version === undefined) return { version: undefined, path };
  return { version, path: path.slice(match[0].length) || '/' };
}

/**
 * The version a request is answered in: its own, or the newest when it names none.
 *
 * @throws EngineError 'invalid-argument' when it is older or newer than what the engine can answer.
 */
export function acceptVersion(requested: ApiVersion | undefined): ApiVersion {
  if (requested === undefined) return API_VERSION;
  if (compareVersions(requested, API_VERSION) > 0) {
    throw new EngineError(
      'invalid-argument',
      `client version ${requested} is too new. Maximum supported API version is ${API_VERSION}`,
    );
  }
  if (compareVersions(requested, MIN_API_VERSION) < 0) {
    throw new EngineError(
      'invalid-argument',
      `client version ${requested} is too old. Minimum supported API version is ${MIN_API_VERSION}, please upgrade your client to a newer version`,
    );
  }
  return requested;
}

/** The version both sides can speak: the older of the client's newest and what the engine advertised. */
export function negotiateVersion(clientNewest: ApiVersion, advertised: ApiVersion | undefined): ApiVersion {
  const engine = advertised === undefined || advertised === '' ? ASSUMED_API_VERSION : advertised;
  return compareVersions(engine, clientNewest) < 0 ? engine : clientNewest;
}

const PREFIX = /^\/v([0-9.]+)(?=\/|$)/;
