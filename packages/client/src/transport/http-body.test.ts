import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bodyDecoder } from './http-body.ts';
import { formatHead, parseHead } from './http-head.ts';

/** Decodes a body that comes in pieces. */
function decode(head: string, pieces: readonly Uint8Array[]): { body: string; done: boolean; rest: string } {
  const decoder = bodyDecoder('GET', parseHead(head));
  assert.ok(decoder);
  const text = (parts: readonly Uint8Array[]): string => Buffer.concat(parts).toString('latin1');
  const found: Uint8Array[] = [];
  for (const [at, piece] of pieces.entries()) {
    const { pieces: more, done, rest } = decoder.push(piece);
    found.push(...more);
    if (done) return { body: text(found), done, rest: text([rest, ...pieces.slice(at + 1)]) };
  }
  return { body: text(found), done: false, rest: '' };
}

/** Cuts bytes at some places. */
function cut(bytes: Uint8Array, places: readonly number[]): readonly Uint8Array[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  return at.slice(1).map((to, index) => bytes.subarray(at[index], to));
}

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked';

describe('bodyDecoder', () => {
  const content = fc.uint8Array({ maxLength: 300 });
  const places = fc.array(fc.nat(), { maxLength: 20 });

  it('puts chunks together, whatever way the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(content, { maxLength: 6 }),
        places,
        fc.constantFrom('', ';a=b', ' '),
        (chunks, at, extension) => {
          const full = chunks.filter((chunk) => chunk.length > 0);
          const parts = full.flatMap((chunk) => [
            Buffer.from(`${chunk.length.toString(16)}${extension}\r\n`),
            chunk,
            Buffer.from('\r\n'),
          ]);
          const wire = Buffer.concat([...parts, Buffer.from('0\r\nTrailer: x\r\n\r\nnext')]);
          const expected = { body: Buffer.concat(full).toString('latin1'), done: true, rest: 'next' };
          assert.deepEqual(decode(CHUNKED, cut(wire, at)), expected);
        },
      ),
    );
  });

  it('takes as many bytes as the head says, whatever way they are cut', () => {
    fc.assert(
      fc.property(content, places, (body, at) => {
        fc.pre(body.length > 0);
        const wire = Buffer.concat([body, Buffer.from('next')]);
        const expected = { body: Buffer.from(body).toString('latin1'), done: true, rest: 'next' };
        assert.deepEqual(decode(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}`, cut(wire, at)), expected);
      }),
    );
  });

  const broken = ['x\r\n', '-1\r\n', '\r\n', '1\r\nab\r\n', '0x1\r\n', `${'0'.repeat(13)}1\r\n`, '1'.repeat(300)];
  for (const wire of broken) {
    it(`refuses ${JSON.stringify(wire.slice(0, 20))} as a chunk`, () => {
      assert.throws(() => decode(CHUNKED, [Buffer.from(wire)]), /chunk/);
    });
  }

  it('refuses trailers without end', () => {
    const wire = Buffer.from(`0\r\n${'a: b\r\n'.repeat(5_000)}`);
    assert.throws(() => decode(CHUNKED, [wire]), /trailers/);
  });

  for (const [method, status, fields] of [
    ['HEAD', 200, 'Content-Length: 5'],
    ['GET', 204, 'Content-Length: 5'],
    ['GET', 304, 'Transfer-Encoding: chunked'],
    ['GET', 200, 'Content-Length: 0'],
  ] as const) {
    it(`finds no body behind ${method} ${status} with ${fields}`, () => {
      assert.equal(bodyDecoder(method, parseHead(`HTTP/1.1 ${status} \r\n${fields}`)), undefined);
    });
  }

  for (const fields of [
    'Content-Length: 5\r\nContent-Length: 6',
    'Content-Length: -1',
    'Content-Length: 1e3',
    'Transfer-Encoding: gzip',
  ]) {
    it(`refuses ${JSON.stringify(fields)}`, () => {
      assert.throws(() => bodyDecoder('GET', parseHead(`HTTP/1.1 200 OK\r\n${fields}`)), /Content-Length|coding/);
    });
  }
});

describe('parseHead', () => {
  it('joins what came more than once, and takes names in any case', () => {
    const { status, headers, keepsAlive } = parseHead('HTTP/1.1 299 Odd One\r\nA: 1\r\na:  2 \r\nConnection: Close');
    assert.deepEqual(
      { status, headers, keepsAlive },
      { status: 299, headers: { a: '1, 2', connection: 'Close' }, keepsAlive: false },
    );
  });

  it('takes no header for a property of objects', () => {
    assert.equal(parseHead('HTTP/1.1 200 OK\r\n__proto__: x').headers['__proto__'], 'x');
  });

  it('does not keep a connection of HTTP/1.0', () => assert.equal(parseHead('HTTP/1.0 200 OK').keepsAlive, false));

  for (const text of [
    '',
    'SSH-2.0-OpenSSH',
    'HTTP/2 200',
    'HTTP/1.1 20 OK',
    'HTTP/1.1 200 OK\r\nno colon',
    'HTTP/1.1 200 OK\r\n a: b',
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => parseHead(text), /no HTTP|malformed/));
  }
});

describe('formatHead', () => {
  const request = { method: 'GET', path: '/x', headers: {} };

  it('writes what it is given, and leaves out what is undefined', () => {
    assert.equal(formatHead({ ...request, headers: { A: 1, B: undefined } }), 'GET /x HTTP/1.1\r\nA: 1\r\n\r\n');
  });

  it('lets nobody write a second line', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.constantFrom('\r', '\n', '\0', '\u2028', '\u0100'),
        fc.string(),
        (left, bad, right) => {
          const text = `${left}${bad}${right}`;
          assert.throws(() => formatHead({ ...request, path: `/${text}` }), { kind: 'invalid-argument' });
          assert.throws(() => formatHead({ ...request, headers: { A: text } }), { kind: 'invalid-argument' });
          assert.throws(() => formatHead({ ...request, headers: { [text]: '' } }), { kind: 'invalid-argument' });
        },
      ),
    );
  });

  it('does not tell a value that it refuses: it may be a secret', () => {
    const auth = { 'X-Registry-Auth': 'hunter2\n' };
    assert.throws(() => formatHead({ ...request, headers: auth }), { message: /^((?!hunter2).)*"X-Registry-Auth"$/ });
  });
});
