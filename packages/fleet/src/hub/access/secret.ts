import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** 256 random bits behind a prefix that says what it is for: `flu_…` a user's, `fle_…` an enrolment's. */
export function newSecret(prefix: 'flu' | 'fle'): string {
  return `${prefix}_${randomBytes(32).toString('base64url')}`;
}

/** What is kept of a secret. It has 256 random bits, so a plain hash is as good as a slow one. */
export function secretHash(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** Compares two hashes in a time that tells nothing. */
export function isSameHash(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
