import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createKey, isPublicKey, isSignedBy, keyOfSeed, loadOrCreateKey, signWith } from './fleet-key.ts';

describe('loadOrCreateKey', () => {
  it('makes a key once, readable by its owner alone, and refuses a file that holds none', async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'fairlead-key-'));
    t.after(() => rm(directory, { recursive: true }));
    const path = join(directory, 'hub.nk');
    const made = await loadOrCreateKey(path);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.equal((await loadOrCreateKey(path)).publicKey, made.publicKey);
    await writeFile(path, 'SUnothing');
    await assert.rejects(loadOrCreateKey(path), { kind: 'invalid-argument' });
  });
});

/** Made and signed with nats-io/nkeys. */
const KNOWN = {
  seed: 'SUAAURVVCIBVXVCQWNDQFJCBPG6NQWQCAZ75I5UO6RI72633HCTN5KJCXI',
  publicKey: 'UDWRNF67JMI3TIFAYWQTSE2M7GTI5BI73SFQPXZ2CEL6DNZLLT2S2CBF',
  signature: 'jx0-2ZYB9NZT2rj3C0s_ysex3cOLd47uqX4YR-QkJF0-PHl4GKHCP_yM1VVRQCVzebFtrRkQhbQGTgMzyWNGCA',
};

describe('keyOfSeed', () => {
  it('reads, and signs with, the keys that NATS’s own tools make', () => {
    const key = keyOfSeed(Buffer.from(KNOWN.seed));
    assert.equal(key.publicKey, KNOWN.publicKey);
    assert.equal(signWith(key, 'nonce'), KNOWN.signature);
    assert.ok(isSignedBy(KNOWN.publicKey, 'nonce', KNOWN.signature));
  });

  it('refuses what was mistyped in one place', () => {
    for (let at = 0; at < KNOWN.seed.length; at += 1) {
      const other = KNOWN.seed[at] === 'A' ? 'B' : 'A';
      const wrong = Buffer.from(KNOWN.seed.slice(0, at) + other + KNOWN.seed.slice(at + 1));
      assert.throws(() => keyOfSeed(wrong), { kind: 'invalid-argument' }, String(at));
    }
  });
});

describe('isSignedBy', () => {
  const key = createKey();
  const signature = signWith(key, 'nonce');
  it('accepts the signature of this key over this text and no other', () => {
    assert.ok(isSignedBy(key.publicKey, 'nonce', signature));
    assert.ok(isSignedBy(keyOfSeed(key.seed).publicKey, 'nonce', signature));
    assert.ok(!isSignedBy(key.publicKey, 'other', signature));
    assert.ok(!isSignedBy(createKey().publicKey, 'nonce', signature));
    for (const garbage of ['', 'x', 'A'.repeat(86)]) assert.ok(!isSignedBy(key.publicKey, 'nonce', garbage), garbage);
    assert.ok(!isSignedBy('UGARBAGE', 'nonce', signature));
  });
});

describe('isPublicKey', () => {
  it('checks prefix and checksum', () => {
    const { publicKey } = createKey();
    assert.ok(isPublicKey(publicKey));
    const last = publicKey.endsWith('A') ? 'B' : 'A';
    for (const wrong of ['', 'U', `${publicKey.slice(0, -1)}${last}`, `A${publicKey.slice(1)}`, `${publicKey}A`]) {
      assert.ok(!isPublicKey(wrong), wrong);
    }
  });
});
