import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { isEngineError } from '@fairlead/protocol';
import { SocketReader } from './socket-reader.ts';
import { TakenBody } from './taken-body.ts';

/** A connection on which `pieces` arrive one by one, then the client half-closes. */
function connection(pieces: readonly Uint8Array[]): Duplex {
  const left = [...pieces];
  return new Duplex({
    allowHalfOpen: true,
    read() {
      setImmediate(() => this.push(left.shift() ?? null));
    },
    write: (_chunk, _encoding, done) => done(),
  });
}

function cut(bytes: Buffer, sizes: readonly number[]): readonly Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0, i = 0; at < bytes.length; i += 1) {
    const size = sizes[i % sizes.length] ?? 1;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

async function collect(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of bytes) parts.push(part);
  return Buffer.concat(parts);
}

async function rest(reader: SocketReader): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let part = await reader.read(); part !== undefined; part = await reader.read()) parts.push(part);
  return Buffer.concat(parts);
}

const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });
const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));

describe('TakenBody', () => {
  it('takes exactly the body, however the bytes arrive, and leaves what follows', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(bytes, { maxLength: 4 }), bytes, sizes, async (parts, behind, cuts) => {
        const chunks = parts.filter((part) => part.length > 0);
        const encoded = chunks.map((part) =>
          Buffer.concat([Buffer.from(`${part.length.toString(16)};a="b"\r\n`), part, Buffer.from('\r\n')]),
        );
        const body = Buffer.concat(chunks);
        const framings = [
          { length: 'chunked', sent: Buffer.concat([...encoded, Buffer.from('0\r\nTrailer: x\r\n\r\n')]) },
          { length: body.length, sent: body },
        ] as const;
        for (const { length, sent } of framings) {
          const [head = Buffer.alloc(0), ...pieces] = cut(Buffer.concat([sent, behind]), cuts);
          const reader = new SocketReader(connection(pieces), head);
          const taken = new TakenBody(reader, length);
          assert.deepEqual(await collect(taken.bytes), body);
          assert.equal(taken.done, true);
          assert.deepEqual(await rest(reader), behind);
        }
      }),
      { numRuns: 60 },
    );
  });

  const malformed = [
    { name: 'no length', sent: '\r\n' },
    { name: 'a negative length', sent: '-1\r\nx\r\n' },
    { name: 'a length beyond all reason', sent: `${'f'.repeat(20)}\r\n` },
    { name: 'a line without end', sent: 'a'.repeat(10_000) },
    { name: 'a lone newline', sent: '1\nx\n0\n\n' },
    { name: 'a chunk that is longer than it says', sent: '1\r\nxy\r\n0\r\n\r\n' },
    { name: 'endless trailers', sent: `0\r\n${'a: b\r\n'.repeat(1_000)}` },
    { name: 'an end in the middle', sent: '5\r\nab' },
  ];
  for (const { name, sent } of malformed) {
    it(`refuses ${name}`, async () => {
      const taken = new TakenBody(new SocketReader(connection([Buffer.from(sent)]), Buffer.alloc(0)), 'chunked');
      await assert.rejects(collect(taken.bytes), (error) => isEngineError(error) && error.kind === 'invalid-argument');
      assert.equal(taken.done, false);
    });
  }

  it('asks for the body only when somebody reads it', async () => {
    let asked = 0;
    const reader = new SocketReader(connection([Buffer.from('ab')]), Buffer.alloc(0));
    const taken = new TakenBody(reader, 2, () => (asked += 1));
    assert.equal(asked, 0);
    await taken.skip(10);
    assert.equal(asked, 1);
  });
});

describe('SocketReader', () => {
  it('puts back what it holds when it is disposed', async () => {
    const socket = connection([Buffer.from('world')]);
    const reader = new SocketReader(socket, Buffer.from('hello '));
    assert.equal((await reader.read(2))?.toString(), 'he');
    reader[Symbol.dispose]();
    const parts: Buffer[] = [];
    for await (const part of socket) parts.push(part as Buffer);
    assert.equal(Buffer.concat(parts).toString(), 'llo world');
  });

  it('tells a waiting reader when the connection breaks', async () => {
    const socket = new Duplex({ read() {}, write: (_c, _e, done) => done() });
    const reader = new SocketReader(socket, Buffer.alloc(0));
    const read = reader.read();
    socket.destroy();
    assert.equal(await read, undefined);
  });
});
