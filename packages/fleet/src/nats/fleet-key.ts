import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign, verify } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import type { Authenticator } from '@nats-io/nats-core';
import { EngineError } from '@fairlead/protocol';
import { publicKeyBytes, publicKeyText, seedBytes, seedText } from './nkey-text.ts';

/**
 * A user's nkey (Ed25519): proves to a nats-server, and to the hub, who somebody is. Signed by Node's own cryptography: that of
 * nats.js is JavaScript and takes a hundred times as long, which a thousand agents that come back at once cannot afford.
 */
export interface FleetKey {
  /** `U…`: may be told to everybody. */
  readonly publicKey: string;
  /** `SU…`: never leaves the machine. */
  readonly seed: Uint8Array;
}

/** What stands before the 32 bytes of an Ed25519 key in DER. Source: RFC 8410. */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex');
const KEY_BYTES = 32;

/** A new key. */
export function createKey(): FleetKey {
  return keyOfSeed(Buffer.from(seedText(randomBytes(KEY_BYTES))));
}

/** The key of a seed. @throws EngineError 'invalid-argument' when it is none. */
export function keyOfSeed(seed: Uint8Array): FleetKey {
  const spki = createPublicKey(privateKeyOf(seed)).export({ format: 'der', type: 'spki' });
  return { publicKey: publicKeyText(spki.subarray(SPKI_HEAD.length)), seed };
}

/** The key kept in a file (mode 0600), made and on disk before it is given back when there is none. */
export async function loadOrCreateKey(path: string): Promise<FleetKey> {
  const kept = await loadKey(path);
  if (kept !== undefined) return kept;
  const key = createKey();
  await writeKey(`${path}.new`, key);
  await rename(`${path}.new`, path);
  return key;
}

/** The key kept in a file; undefined when there is no file. @throws EngineError when the file holds something else. */
export async function loadKey(path: string): Promise<FleetKey | undefined> {
  try {
    const seed = await readFile(path, 'utf8');
    return keyOfSeed(new TextEncoder().encode(seed.trim()));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

async function writeKey(path: string, key: FleetKey): Promise<void> {
  await using file = await open(path, 'w', 0o600);
  await file.writeFile(key.seed);
  await file.sync();
}

/** Signs what proves the key: base64url, 64 bytes. */
export function signWith(key: FleetKey, text: string): string {
  return sign(null, Buffer.from(text), privateKeyOf(key.seed)).toString('base64url');
}

/** Proves the key to a nats-server: it signs the server's nonce. */
export function keyAuthenticator(key: FleetKey): Authenticator {
  return (nonce = '') => ({ nkey: key.publicKey, sig: signWith(key, nonce) });
}

/** True when `signature` (base64url) over `text` is of `publicKey`; false for anything that cannot be read. */
export function isSignedBy(publicKey: string, text: string, signature: string): boolean {
  const raw = publicKeyBytes(publicKey);
  if (raw === undefined) return false;
  const key = createPublicKey({ key: Buffer.concat([SPKI_HEAD, raw]), format: 'der', type: 'spki' });
  return verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64url'));
}

/** True for the public half of a user's nkey, checksum included. */
export function isPublicKey(text: string): boolean {
  return publicKeyBytes(text) !== undefined;
}

/** @throws EngineError 'invalid-argument' when it is no seed. */
function privateKeyOf(seed: Uint8Array): KeyObject {
  const raw = seedBytes(Buffer.from(seed).toString('latin1'));
  if (raw === undefined) throw new EngineError('invalid-argument', 'not the seed of an nkey');
  return createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, raw]), format: 'der', type: 'pkcs8' });
}
