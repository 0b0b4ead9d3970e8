import { EngineError } from './errors.ts';

/** An image's name, taken apart. */
export interface Reference {
  /** `docker.io`, `localhost:5000`. */
  readonly domain: string;
  /** `library/busybox`. */
  readonly path: string;
  readonly tag: string | undefined;
  /** `sha256:` and 64 hex characters. */
  readonly digest: string | undefined;
}

/** Domain and path together. Source: distribution/reference, RepositoryNameTotalLengthMax. */
export const REPOSITORY_NAME_CHARS_MAX = 255;

/** What a name without a domain means. */
export const DEFAULT_DOMAIN = 'docker.io';

/** What a name without a tag means. */
export const DEFAULT_TAG = 'latest';

/**
 * Reads what a person or a client writes for an image: `busybox`, `busybox:1`, `localhost:5000/team/app@sha256:…`.
 *
 * @throws EngineError 'invalid-argument' in Docker's words.
 */
export function parseReference(text: string): Reference {
  if (HEX_ID.test(text)) {
    throw new EngineError(
      'invalid-argument',
      `invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`,
    );
  }
  const { domain, rest } = splitDomain(text);
  const name = /^[^:@]*/.exec(rest)?.[0] ?? '';
  if (name !== name.toLowerCase()) {
    throw new EngineError('invalid-argument', `invalid reference format: repository name (${name}) must be lowercase`);
  }
  const match = REFERENCE.exec(rest);
  if (match === null || !DOMAIN.test(domain)) throw new EngineError('invalid-argument', 'invalid reference format');
  const path = match[1] ?? '';
  if (domain.length + 1 + path.length > REPOSITORY_NAME_CHARS_MAX) {
    throw new EngineError(
      'invalid-argument',
      `repository name must not be more than ${REPOSITORY_NAME_CHARS_MAX} characters`,
    );
  }
  return { domain, path, tag: match[2], digest: match[3] };
}

/** The same with `latest`, when it has neither tag nor digest. */
export function withDefaultTag(reference: Reference): Reference {
  if (reference.tag !== undefined || reference.digest !== undefined) return reference;
  return { ...reference, tag: DEFAULT_TAG };
}

/** `docker.io/library/busybox:latest`: the one spelling that is stored. Adds no tag. */
export function canonicalReference(reference: Reference): string {
  return `${reference.domain}/${reference.path}${suffixOf(reference)}`;
}

/** `busybox:latest`: the shortest spelling, which people see. Adds no tag. */
export function familiarReference(reference: Reference): string {
  return `${familiarName(reference)}${suffixOf(reference)}`;
}

/** `busybox`: the shortest spelling of the repository. */
export function familiarName(reference: Reference): string {
  if (reference.domain !== DEFAULT_DOMAIN) return `${reference.domain}/${reference.path}`;
  const official = reference.path.startsWith(OFFICIAL) ? reference.path.slice(OFFICIAL.length) : reference.path;
  // A path such as library/a/b would be read as another name without its prefix.
  return official.includes('/') ? reference.path : official;
}

/** Canonical with a tag: `busybox` → `docker.io/library/busybox:latest`. @throws EngineError, as `parseReference`. */
export function normalizeReference(text: string): string {
  return canonicalReference(withDefaultTag(parseReference(text)));
}

/** From the stored spelling to the one people see. @throws EngineError, as `parseReference`. */
export function toFamiliar(canonical: string): string {
  return familiarReference(parseReference(canonical));
}

/** True for `sha256:HEX` or bare hex of up to 64 characters: it may be an image's id or the start of one. */
export function mayBeImageId(text: string): boolean {
  return /^(?:sha256:)?[0-9a-f]{1,64}$/.test(text);
}

// Source of the grammar: github.com/distribution/reference, regexp.go and normalize.go.
const OFFICIAL = 'library/';
const HEX_ID = /^[0-9a-f]{64}$/;
const DOMAIN =
  /^(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?$/;
const REFERENCE = referencePattern();

// @__NO_SIDE_EFFECTS__
function referencePattern(): RegExp {
  const component = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
  return new RegExp(
    `^(${component}(?:/${component})*)(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$`,
  );
}

/** What is before the first slash is a domain when it looks like one; else the name is Docker Hub's. */
function splitDomain(text: string): { readonly domain: string; readonly rest: string } {
  const slash = text.indexOf('/');
  const head = slash < 0 ? '' : text.slice(0, slash);
  const isDomain = slash >= 0 && (/[.:]/.test(head) || head === 'localhost' || head !== head.toLowerCase());
  const domain = !isDomain || head === 'index.docker.io' ? DEFAULT_DOMAIN : head;
  const rest = isDomain ? text.slice(slash + 1) : text;
  return { domain, rest: domain === DEFAULT_DOMAIN && !rest.includes('/') ? `${OFFICIAL}${rest}` : rest };
}

function suffixOf(reference: Reference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`;
  return `${tag}${digest}`;
}
