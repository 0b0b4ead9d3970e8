import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { framingBy, HEAD_BYTES_MAX, type HttpPart, HttpParser, type Framing } from './http-parser.ts';

type Side = 'request' | 'response';

/** What a parser makes of pieces: the parts, with neighbouring body bytes put together. */
function parse(side: Side, pieces: readonly Uint8Array[], otherwise: Framing = { by: 'none' }): (HttpPart | string)[] {
  const parser = new HttpParser(side, ({ headers }) => framingBy(headers, otherwise));
  const found: (HttpPart | string)[] = [];
  for (const piece of pieces) {
    for (let at = 0; at < piece.length;) {
      const { parts, next } = parser.take(piece, at);
      assert.ok(next > at || parts.length > 0, 'it goes on');
      at = next;
      for (const part of parts) found.push(part.part === 'body' ? (joined(found) ?? '') + latin1(part.bytes) : part);
    }
  }
  return found;
}

/** Takes the last text off, to be gone on with. */
function joined(found: (HttpPart | string)[]): string | undefined {
  const last = found.at(-1);
  if (typeof last !== 'string') return undefined;
  found.pop();
  return last;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0, i = 0; at < bytes.length; i += 1) {
    const size = sizes[i % sizes.length] ?? bytes.length;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

const token = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,8}$/);
const value = fc.stringMatching(/^(|[!-~]|[!-~][ -~]{0,20}[!-~])$/);
const headers = fc.array(
  fc.tuple(
    token.filter((name) => !/^(content-length|transfer-encoding)$/i.test(name)),
    value,
  ),
  { maxLength: 4 },
);
const body = fc.uint8Array({ maxLength: 60 }).map(latin1);
const message = fc.record({
  method: fc.constantFrom('GET', 'POST', 'HEAD'),
  target: fc.stringMatching(/^\/[!-~]{0,20}$/),
  headers,
  body: fc.oneof(
    fc.record({ by: fc.constant('none' as const) }),
    fc.record({ by: fc.constant('length' as const), bytes: body }),
    fc.record({
      by: fc.constant('chunks' as const),
      chunks: fc.array(
        body.filter((text) => text !== ''),
        { maxLength: 4 },
      ),
    }),
  ),
});
type Message = typeof message extends fc.Arbitrary<infer T> ? T : never;

function wire({ method, target, headers, body }: Message): string {
  const lines = [`${method} ${target} HTTP/1.1`, ...headers.map(([name, text]) => `${name}: ${text}`)];
  if (body.by === 'none') return [...lines, '', ''].join('\r\n');
  if (body.by === 'length') return [...lines, `Content-Length: ${body.bytes.length}`, '', body.bytes].join('\r\n');
  const chunks = body.chunks.map((chunk) => `${chunk.length.toString(16)};x=y\r\n${chunk}\r\n`).join('');
  return [...lines, 'Transfer-Encoding: chunked', '', `${chunks}0\r\nTrailer: t\r\n\r\n`].join('\r\n');
}

describe('HttpParser', () => {
  it('finds every message of a connection, in any chunking', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 17 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 4 }), sizes, (messages, sizes) => {
        const bytes = bytesOf(messages.map(wire).join(''));
        const whole = parse('request', [bytes]);
        assert.deepEqual(parse('request', cut(bytes, sizes)), whole);
        const heads = whole.flatMap((part) => (typeof part !== 'string' && part.part === 'head' ? [part.head] : []));
        assert.deepEqual(
          heads.map((head) => head.kind === 'request' && [head.method, head.target]),
          messages.map(({ method, target }) => [method, target]),
        );
        const bodies = whole.filter((part) => typeof part === 'string').join('');
        const sent = messages.map(({ body }) =>
          body.by === 'length' ? body.bytes : body.by === 'chunks' ? body.chunks.join('') : '',
        );
        assert.equal(bodies, sent.join(''));
        assert.equal(whole.filter((part) => typeof part !== 'string' && part.part === 'end').length, messages.length);
      }),
    );
  });

  it('takes any bytes without throwing, and says at most once that it gave up', () => {
    fc.assert(
      fc.property(fc.constantFrom<Side>('request', 'response'), fc.uint8Array({ maxLength: 300 }), (side, bytes) => {
        const found = parse(side, [bytes], { by: 'close' });
        assert.ok(found.filter((part) => typeof part !== 'string' && part.part === 'unparsable').length <= 1);
      }),
    );
  });

  const refused: readonly { side: Side; text: string; why: RegExp }[] = [
    { side: 'request', text: '\x16\x03\x01\x02', why: /it is TLS/ },
    { side: 'request', text: '\0\0', why: /no head begins with the byte 0x00/ },
    { side: 'request', text: 'PRI * HTTP/2.0\r\n', why: /no request begins with "PRI \* HTTP\/2.0"/ },
    { side: 'response', text: 'GET / HTTP/1.1\r\n', why: /no response begins with/ },
    { side: 'request', text: 'GET / HTTP/1.1\r\nno colon\r\n', why: /no header looks like "no colon"/ },
    { side: 'request', text: 'GET / HTTP/1.1\r\nContent-Length: 1x\r\n\r\n', why: /Content-Length is no number/ },
    {
      side: 'request',
      text: 'GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      why: /Content-Length is no number/,
    },
    { side: 'request', text: 'GET / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n', why: /transfer encoding gzip/ },
    {
      side: 'response',
      text: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n',
      why: /no chunk has the size "xyz"/,
    },
    {
      side: 'response',
      text: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n',
      why: /longer than it said/,
    },
    { side: 'request', text: `GET /${'x'.repeat(HEAD_BYTES_MAX)} HTTP/1.1\r\n`, why: /a head is too long/ },
  ];
  for (const { side, text, why } of refused) {
    it(`gives up on ${JSON.stringify(text.slice(0, 40))}, and lets what follows pass`, () => {
      const found = parse(side, [bytesOf(text), bytesOf('behind')]);
      const [unparsable] = found.filter((part) => typeof part !== 'string' && part.part === 'unparsable');
      assert.ok(typeof unparsable === 'object' && unparsable.part === 'unparsable');
      assert.match(unparsable.why, why);
      const rest = found.at(-1);
      assert.ok(typeof rest === 'string' && rest.endsWith('behind'));
    });
  }

  it('reads folded headers, empty lines before a head, and lines that end in LF alone', () => {
    const [head] = parse('request', [bytesOf('\r\n\nGET / HTTP/1.1\nA: b\n  c\n\n')]);
    assert.deepEqual(head, {
      part: 'head',
      head: { kind: 'request', method: 'GET', target: '/', headers: [['A', 'b c']] },
    });
  });

  it('says how far into a message it is', () => {
    const parser = new HttpParser('response', ({ headers }) => framingBy(headers, { by: 'close' }));
    const feed = (text: string): unknown => {
      const bytes = bytesOf(text);
      for (let at = 0; at < bytes.length;) at = parser.take(bytes, at).next;
      return parser.progress;
    };
    assert.deepEqual(feed('HTT'), { within: 'head' });
    assert.deepEqual(feed('P/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab'), { within: 'body', missingBytes: 3 });
    assert.deepEqual(feed('cde'), { within: 'nothing' });
    assert.deepEqual(feed('HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab'), {
      within: 'body',
      missingBytes: 3,
    });
    assert.deepEqual(feed('cde\r\n'), { within: 'body', missingBytes: undefined });
    assert.deepEqual(feed('0\r\n\r\n'), { within: 'nothing' });
    assert.deepEqual(feed('HTTP/1.0 200 OK\r\n\r\nx'), { within: 'until-close' });
  });
});
