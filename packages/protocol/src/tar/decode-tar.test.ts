import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { layerTar } from '@fairlead/testkit';
import { isEngineError } from '../errors.ts';
import { shownPath } from './byte-path.ts';
import { decodeTar } from './decode-tar.ts';

async function* inChunks(bytes: Uint8Array, size = 1000): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

async function listed(bytes: Uint8Array): Promise<string[]> {
  const lines: string[] = [];
  for await (const { record } of decodeTar(inChunks(bytes))) {
    lines.push([record.type, shownPath(record.name), record.linkName, record.sizeBytes].join(' ').trim());
  }
  return lines;
}

async function refusal(bytes: Uint8Array): Promise<string> {
  const error: unknown = await listed(bytes).then(
    () => undefined,
    (caught: unknown) => caught,
  );
  return isEngineError(error) ? `${error.kind}: ${error.message}` : String(error);
}

describe('decodeTar', () => {
  for (const format of ['v7', 'oldgnu', 'gnu', 'ustar', 'posix']) {
    it(`reads what GNU tar writes as ${format}`, async () => {
      const directory = mkdtempSync(join(tmpdir(), 'fairlead-tar-'));
      try {
        const name = format === 'v7' ? 'file' : `${'deep/'.repeat(25)}file`;
        mkdirSync(join(directory, name, '..'), { recursive: true });
        writeFileSync(join(directory, name), 'content');
        symlinkSync('aim', join(directory, 'link'));
        const bytes = execFileSync('tar', [`--format=${format}`, '--create', '--directory', directory, name, 'link']);
        assert.deepEqual(await listed(bytes), [`file ${name}  7`, 'symlink link aim 0']);
      } finally {
        rmSync(directory, { recursive: true });
      }
    });
  }

  const refused = [
    { name: 'garbage', bytes: Buffer.alloc(1024, 'x'), says: 'internal: archive/tar: invalid tar header' },
    { name: 'less than a block', bytes: Buffer.alloc(100, 'x'), says: 'internal: unexpected EOF' },
  ];
  for (const { name, bytes, says } of refused) {
    it(`refuses ${name}: ${says}`, async () => assert.equal(await refusal(bytes), says));
  }

  it('takes no byte, and nothing but zeros, for an empty archive', async () => {
    assert.deepEqual(await listed(new Uint8Array()), []);
    assert.deepEqual(await listed(Buffer.alloc(10_240)), []);
  });

  it('refuses a file that is cut', async () => {
    const bytes = await layerTar([{ name: 'f', content: 'x'.repeat(2000) }]);
    assert.equal(await refusal(bytes.subarray(0, 1500)), 'internal: unexpected EOF');
  });

  it('refuses sparse files in words', async () => {
    const bytes = Buffer.from(await layerTar([{ name: 'f' }]));
    bytes[156] = 'S'.charCodeAt(0);
    assert.equal(
      await refusal(withChecksum(bytes)),
      'invalid-argument: sparse files in archives are not supported: write the tar without --sparse',
    );
  });

  it('refuses a header that claims a gigabyte, before it reads it', async () => {
    const bytes = Buffer.from(await layerTar([{ name: 'f' }]));
    bytes.write('x', 156);
    bytes.write('10000000000\0', 124);
    assert.equal(await refusal(withChecksum(bytes)), 'internal: archive/tar: header field too long');
  });

  it('skips what is not read', async () => {
    const bytes = await layerTar([
      { name: 'a', content: 'x'.repeat(3000) },
      { name: 'b', content: 'y' },
    ]);
    assert.deepEqual(await listed(bytes), ['file a  3000', 'file b  1']);
  });

  it('answers any bytes with entries or a refusal', async () => {
    const good = await layerTar([{ name: 'd/' }, { name: 'd/f', content: 'x'.repeat(600) }, { name: 'é'.repeat(80) }]);
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), async (at, byte, length) => {
        const bytes = Buffer.from(good).subarray(0, length);
        if (at < bytes.length) bytes[at] = byte;
        const said = await refusal(bytes);
        assert.match(said, /^(undefined|internal|invalid-argument)/);
      }),
      { numRuns: 200 },
    );
  });
});

function withChecksum(bytes: Buffer): Buffer {
  bytes.fill(' ', 148, 156);
  const sum = bytes.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return bytes;
}
