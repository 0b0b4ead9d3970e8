import { randomBytes } from 'node:crypto';
import { hostId, type HostId } from '@fairlead/protocol/fleet';

/** RFC 4648's base32 in lower case: one token of a NATS subject, and safe in a URL. */
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const CHARACTERS = 26;

/** 26 characters, 130 random bits: nobody guesses one, and two are never the same. */
export function randomToken(): string {
  let text = '';
  for (const byte of randomBytes(CHARACTERS)) text += ALPHABET.charAt(byte & 31);
  return text;
}

/** A new host's id. */
export function randomHostId(): HostId {
  return hostId(`h${randomToken()}`);
}

/** A new operation's id. */
export function randomOperationId(): string {
  return `op_${randomToken()}`;
}
