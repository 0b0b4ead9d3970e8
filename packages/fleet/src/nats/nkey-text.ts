/** What an nkey is of, as the first byte of its text. Source: nats-io/nkeys, `PrefixByteSeed` and `PrefixByteUser`. */
const SEED_PREFIX = 18 << 3;
const USER_PREFIX = 20 << 3;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const CHECKSUM_BYTES = 2;
const KEY_BYTES = 32;

/** `U…`: the text of a user's public key. */
export function publicKeyText(raw: Uint8Array): string {
  return encode(Uint8Array.of(USER_PREFIX), raw);
}

/** `SU…`: the text of a user's seed. */
export function seedText(raw: Uint8Array): string {
  // Two prefixes of five bits each, so that both can be seen: the second one is spread over two bytes.
  return encode(Uint8Array.of(SEED_PREFIX | (USER_PREFIX >> 5), (USER_PREFIX & 31) << 3), raw);
}

/** The 32 bytes of a user's public key; undefined when the text is none, checksum included. */
export function publicKeyBytes(text: string): Uint8Array | undefined {
  return decoded(text, publicKeyText);
}

/** The 32 bytes of a user's seed; undefined when the text is none, checksum included. */
export function seedBytes(text: string): Uint8Array | undefined {
  return decoded(text, seedText);
}

function encode(prefix: Uint8Array, raw: Uint8Array): string {
  const body = Buffer.concat([prefix, raw]);
  const checksum = Buffer.alloc(CHECKSUM_BYTES);
  checksum.writeUInt16LE(crc16(body));
  return base32(Buffer.concat([body, checksum]));
}

/** The text of exactly one key, or nothing: what is read is written again, and has to be the same. */
function decoded(text: string, textOf: (raw: Uint8Array) => string): Uint8Array | undefined {
  const bytes = base32Bytes(text);
  const raw = bytes.subarray(bytes.length - CHECKSUM_BYTES - KEY_BYTES, bytes.length - CHECKSUM_BYTES);
  return raw.length === KEY_BYTES && textOf(raw) === text ? raw : undefined;
}

/** RFC 4648, without padding. */
function base32(bytes: Uint8Array): string {
  let text = '';
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) text += ALPHABET.charAt((held >> (bits - 5)) & 31);
    held &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + ALPHABET.charAt((held << (5 - bits)) & 31);
}

function base32Bytes(text: string): Uint8Array {
  const bytes: number[] = [];
  let held = 0;
  let bits = 0;
  for (const character of text) {
    held = (held << 5) | Math.max(0, ALPHABET.indexOf(character));
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push(held >> bits);
    held &= (1 << bits) - 1;
  }
  return Uint8Array.from(bytes);
}

/** CRC-16/XMODEM: polynomial 0x1021, from 0. */
function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
  }
  return crc;
}
