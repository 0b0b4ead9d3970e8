import { randomFillSync } from 'node:crypto';
import { hostId, type HostId } from '@fairlead/protocol/fleet';

/** RFC 4648's base32 in lower case: one token of a NATS subject, and safe in a URL. */
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
/** The same characters in the order of their codes, for what is to be sorted. */
const SORTED_ALPHABET = '234567abcdefghijklmnopqrstuvwxyz';
const CHARACTERS = 26;

/** 26 characters, 130 random bits: nobody guesses one, and two are never the same. */
export function randomToken(): string {
  return randomText(CHARACTERS);
}

/** A new host's id. */
export function randomHostId(): HostId {
  return hostId(`h${randomToken()}`);
}

/** How every operation's id begins. */
export const OPERATION_ID_PREFIX = 'op_';
/** Characters of an operation's id that say when it was made: 50 bits of milliseconds. */
const TIME_CHARACTERS = 10;

/**
 * A new operation's id: when it was made, and 80 random bits. Ids of one moment stand side by side, which is what an index of
 * hundreds of thousands wants: with random ones every insert touches a page of its own.
 */
export function randomOperationId(nowMs: number): string {
  let time = '';
  for (let left = nowMs, at = 0; at < TIME_CHARACTERS; at += 1) {
    time = SORTED_ALPHABET.charAt(left % 32) + time;
    left = Math.floor(left / 32);
  }
  return `${OPERATION_ID_PREFIX}${time}${randomText(CHARACTERS - TIME_CHARACTERS)}`;
}

/** Random bytes, asked of the system many at a time: each is used once. */
const pool = { bytes: new Uint8Array(4096), used: 4096 };

function randomText(characters: number): string {
  if (pool.used + characters > pool.bytes.length) {
    randomFillSync(pool.bytes);
    pool.used = 0;
  }
  let text = '';
  for (const byte of pool.bytes.subarray(pool.used, pool.used + characters)) text += ALPHABET[byte & 31];
  // What was used is nobody's to read any more.
  pool.bytes.fill(0, pool.used, pool.used + characters);
  pool.used += characters;
  return text;
}
