import { open, readFile, rename } from 'node:fs/promises';
import { nkeys } from '@nats-io/nats-core';
import { EngineError } from '@fairlead/protocol';

/** A user's nkey (Ed25519): proves to a nats-server, and to the hub, who somebody is. */
export interface FleetKey {
  /** `U…`: may be told to everybody. */
  readonly publicKey: string;
  /** `SU…`: never leaves the machine. */
  readonly seed: Uint8Array;
}

/** A new key. */
export function createKey(): FleetKey {
  const pair = nkeys.createUser();
  return { publicKey: pair.getPublicKey(), seed: pair.getSeed() };
}

/** The key of a seed. @throws EngineError 'invalid-argument' when it is none. */
export function keyOfSeed(seed: Uint8Array): FleetKey {
  try {
    return { publicKey: nkeys.fromSeed(seed).getPublicKey(), seed };
  } catch (cause) {
    throw new EngineError('invalid-argument', 'not the seed of an nkey', { cause });
  }
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
  return Buffer.from(nkeys.fromSeed(key.seed).sign(Buffer.from(text))).toString('base64url');
}

/** True when `signature` (base64url) over `text` is of `publicKey`; false for anything that cannot be read. */
export function isSignedBy(publicKey: string, text: string, signature: string): boolean {
  try {
    return nkeys.fromPublic(publicKey).verify(Buffer.from(text), Buffer.from(signature, 'base64url'));
  } catch {
    // Malformed keys and signatures prove nothing.
    return false;
  }
}

/** 35 bytes in base32: prefix, key, checksum. */
const PUBLIC_KEY = /^U[A-Z2-7]{55}$/;

/** True for the public half of a user's nkey, checksum included. */
export function isPublicKey(text: string): boolean {
  try {
    return PUBLIC_KEY.test(text) && !nkeys.fromPublic(text).verify(new Uint8Array(1), new Uint8Array(64));
  } catch {
    // The checksum does not fit.
    return false;
  }
}
