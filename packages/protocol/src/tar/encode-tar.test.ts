import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { bytePathOf } from './byte-path.ts';
import { decodeTar } from './decode-tar.ts';
import { encodeTar, type TarFile } from './encode-tar.ts';
import type { TarRecord, TarRecordType } from './tar-record.ts';

function record(facts: Partial<TarRecord>): TarRecord {
  return {
    name: 'file',
    type: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    sizeBytes: 0,
    modifiedAt: new Date('2024-01-01T00:00:00Z'),
    accessedAt: undefined,
    linkName: '',
    major: 0,
    minor: 0,
    attributes: new Map(),
    ...facts,
  };
}

async function* chunked(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T, void, undefined> {
  yield* items;
}

async function encoded(
  files: readonly { readonly record: TarRecord; readonly content?: Uint8Array }[],
): Promise<Buffer> {
  const withContent = files.map((file): TarFile => ({
    record: file.record,
    content: chunked(file.content ?? new Uint8Array(), 1000),
  }));
  const chunks: Uint8Array[] = [];
  for await (const chunk of encodeTar(each(withContent))) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function decoded(bytes: Uint8Array, size = 700): Promise<{ record: TarRecord; content: Buffer }[]> {
  const found: { record: TarRecord; content: Buffer }[] = [];
  for await (const { record: entry, content } of decodeTar(chunked(bytes, size))) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of content) chunks.push(chunk);
    found.push({ record: entry, content: Buffer.concat(chunks) });
  }
  return found;
}

const byteName = fc
  .array(
    fc.integer({ min: 1, max: 255 }).filter((byte) => byte !== 0x2f),
    { minLength: 1, maxLength: 300 },
  )
  .map((bytes) => Buffer.from(bytes).toString('latin1'));

const anyRecord: fc.Arbitrary<{ record: TarRecord; content: Uint8Array }> = fc
  .record({
    name: byteName,
    type: fc.constantFrom<TarRecordType>('file', 'directory', 'symlink', 'hardlink', 'fifo', 'character'),
    mode: fc.integer({ min: 0, max: 0o7777 }),
    uid: fc.integer({ min: 0, max: 4_294_967_294 }),
    gid: fc.integer({ min: 0, max: 4_294_967_294 }),
    seconds: fc.integer({ min: -10_000_000_000, max: 100_000_000_000 }),
    linkName: byteName,
    attribute: fc.uint8Array({ maxLength: 40 }),
    content: fc.uint8Array({ maxLength: 1500 }),
  })
  .map(({ type, seconds, attribute, content, linkName, ...facts }) => {
    const own = type === 'file' ? content : new Uint8Array();
    const linked = type === 'symlink' || type === 'hardlink';
    return {
      content: own,
      record: record({
        ...facts,
        type,
        sizeBytes: own.byteLength,
        modifiedAt: new Date(seconds * 1000),
        linkName: linked ? linkName : '',
        attributes: type === 'file' ? new Map([['security.capability', Buffer.from(attribute)]]) : new Map(),
      }),
    };
  });

describe('encodeTar', () => {
  it('and decodeTar give back what went in, however the bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyRecord, { maxLength: 6 }),
        fc.integer({ min: 1, max: 5000 }),
        async (files, size) => {
          const found = await decoded(await encoded(files), size);
          assert.deepEqual(
            found.map(({ record: { attributes, ...rest }, content }) => ({
              ...rest,
              name: rest.name.replace(/\/$/, ''),
              content: content.toString('hex'),
              attributes: [...attributes].map(([name, value]) => [name, Buffer.from(value).toString('hex')]),
            })),
            files.map(({ record: { attributes, ...rest }, content }) => ({
              ...rest,
              content: Buffer.from(content).toString('hex'),
              attributes: [...attributes].map(([name, value]) => [name, Buffer.from(value).toString('hex')]),
            })),
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  it('writes what GNU tar reads: long names, umlauts, links, devices', async () => {
    const long = `${'long-directory/'.repeat(12)}file`;
    const bytes = await encoded([
      { record: record({ name: 'd', type: 'directory', mode: 0o1777 }) },
      { record: record({ name: bytePathOf('d/ümlaut'), sizeBytes: 2 }), content: Buffer.from('hi') },
      { record: record({ name: long, uid: 3_000_000_000 }) },
      { record: record({ name: 'l', type: 'symlink', linkName: `../${'x'.repeat(150)}` }) },
      { record: record({ name: 'n', type: 'character', major: 1, minor: 3 }) },
    ]);
    const listed = execFileSync('tar', ['--list', '--verbose', '--numeric-owner', '--quoting-style=literal', '--utc'], {
      input: bytes,
      encoding: 'utf8',
    });
    assert.deepEqual(
      listed
        .trim()
        .split('\n')
        .map((line) => line.replaceAll(/\s+/g, ' ')),
      [
        'drwxrwxrwt 0/0 0 2024-01-01 00:00 d/',
        '-rw-r--r-- 0/0 2 2024-01-01 00:00 d/ümlaut',
        `-rw-r--r-- 3000000000/0 0 2024-01-01 00:00 ${long}`,
        `lrw-r--r-- 0/0 0 2024-01-01 00:00 l -> ../${'x'.repeat(150)}`,
        'crw-r--r-- 0/0 1,3 2024-01-01 00:00 n',
      ],
    );
  });

  it('fills up a file that turned out shorter, and cuts one that grew', async () => {
    const bytes = await encoded([
      { record: record({ name: 'short', sizeBytes: 1000 }), content: Buffer.from('abc') },
      { record: record({ name: 'grown', sizeBytes: 2 }), content: Buffer.from('abc') },
    ]);
    const [short, grown] = await decoded(bytes);
    assert.equal(short?.content.toString('latin1'), `abc${'\0'.repeat(997)}`);
    assert.equal(grown?.content.toString(), 'ab');
  });

  it('hands on chunks of some size, not one per file', async () => {
    const files = Array.from({ length: 100 }, (_, index) => ({
      record: record({ name: `f${index}`, sizeBytes: 1 }),
      content: Buffer.from('x'),
    }));
    let chunks = 0;
    for await (const _chunk of encodeTar(each(files.map((file) => ({ ...file, content: chunked(file.content, 1) })))))
      chunks += 1;
    assert.ok(chunks <= 3, `${chunks} chunks`);
  });
});
