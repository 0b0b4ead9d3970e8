import { EngineError } from '../errors.ts';

/**
 * A host of the fleet: `h` and 26 lower-case base32 characters (130 bits), made by the hub at enrolment. It is one token of a
 * subject, so it never holds a dot, a space or a wildcard. Names and labels are for people and may change.
 */
export type HostId = string & { readonly __brand: 'HostId' };

const HOST_ID = /^h[a-z2-7]{26}$/;

/** True for a whole host id. */
export function isHostId(text: string): text is HostId {
  return HOST_ID.test(text);
}

/** @throws EngineError 'invalid-argument' when `text` is no host id. */
export function hostId(text: string): HostId {
  if (!isHostId(text)) throw new EngineError('invalid-argument', `not a host id: ${JSON.stringify(text.slice(0, 64))}`);
  return text;
}
