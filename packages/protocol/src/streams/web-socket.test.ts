import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { webSocketClientFrame } from '@fairlead/testkit';
import { isEngineError } from '../errors.ts';
import {
  acceptWebSocket,
  encodeClose,
  encodeWebSocketHeader,
  WEB_SOCKET_FRAME_BYTES_MAX,
  WebSocketDecoder,
  WebSocketProtocolError,
  type WebSocketFrame,
} from './web-socket.ts';

const HANDSHAKE = {
  upgrade: 'WebSocket',
  connection: 'keep-alive, Upgrade',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

describe('acceptWebSocket', () => {
  it('answers as the example of RFC 6455', () => {
    assert.equal(acceptWebSocket(HANDSHAKE), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
  });

  const refused: readonly { readonly headers: Readonly<Record<string, string | undefined>>; readonly words: string }[] =
    [
      { headers: {}, words: 'not websocket protocol' },
      { headers: { ...HANDSHAKE, upgrade: 'tcp' }, words: 'not websocket protocol' },
      { headers: { ...HANDSHAKE, connection: 'close' }, words: 'not websocket protocol' },
      { headers: { ...HANDSHAKE, 'sec-websocket-version': '8' }, words: 'missing or bad WebSocket Version' },
      { headers: { ...HANDSHAKE, 'sec-websocket-key': 'short' }, words: 'mismatch challenge/response' },
      { headers: { ...HANDSHAKE, 'sec-websocket-key': undefined }, words: 'mismatch challenge/response' },
    ];
  for (const { headers, words } of refused) {
    it(`refuses ${JSON.stringify(headers)}`, () => {
      assert.throws(
        () => acceptWebSocket(headers),
        (error) => isEngineError(error) && error.kind === 'invalid-argument' && error.message === words,
      );
    });
  }
});

interface Message {
  readonly kind: 'text' | 'binary';
  /** How it is cut into frames. */
  readonly fragments: readonly Uint8Array[];
  /** Control frames that come between the fragments. */
  readonly pings: readonly Uint8Array[];
}

const message: fc.Arbitrary<Message> = fc.record({
  kind: fc.constantFrom<Message['kind']>('text', 'binary'),
  fragments: fc.array(fc.uint8Array({ maxLength: 200 }), { minLength: 1, maxLength: 4 }),
  pings: fc.array(fc.uint8Array({ maxLength: 125 }), { maxLength: 3 }),
});
const mask = fc.uint8Array({ minLength: 4, maxLength: 4 });

function wire({ kind, fragments, pings }: Message, key: Uint8Array): Buffer {
  const frames = fragments.flatMap((fragment, at) => {
    const opcode = at > 0 ? 0 : kind === 'text' ? 1 : 2;
    const own = webSocketClientFrame(opcode, fragment, { last: at === fragments.length - 1, mask: key });
    const ping = pings[at];
    return ping === undefined || at === fragments.length - 1
      ? [own]
      : [own, webSocketClientFrame(9, ping, { mask: key })];
  });
  return Buffer.concat(frames);
}

/** Messages and control frames in the order in which they were whole. */
function assembled(frames: readonly WebSocketFrame[]): readonly (readonly [kind: string, hex: string])[] {
  let pieces: Buffer[] = [];
  return frames.flatMap(({ kind, bytes, isLast }): (readonly [string, string])[] => {
    if (kind !== 'text' && kind !== 'binary') return [[kind, bytes.toString('hex')]];
    pieces.push(bytes);
    if (!isLast) return [];
    const hex = Buffer.concat(pieces).toString('hex');
    pieces = [];
    return [[kind, hex]];
  });
}

describe('WebSocketDecoder', () => {
  it('gives back what was sent, however it is masked, fragmented and cut', () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 5 }), mask, cuts, (messages, key, sizes) => {
        const bytes = Buffer.concat(messages.map((one) => wire(one, key)));
        const decoder = new WebSocketDecoder();
        const frames: WebSocketFrame[] = [];
        for (let [at, turn] = [0, 0]; at < bytes.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1;
          frames.push(...decoder.push(bytes.subarray(at, at + size)));
          at += size;
        }
        const sent = messages.flatMap(({ kind, fragments, pings }) => [
          ...pings.slice(0, fragments.length - 1).map((ping) => ['ping', Buffer.from(ping).toString('hex')]),
          [kind, Buffer.concat(fragments).toString('hex')],
        ]);
        assert.deepEqual(assembled(frames), sent);
      }),
    );
  });

  it('never does anything but decode or refuse, whatever comes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        try {
          for (const { bytes: payload } of new WebSocketDecoder().push(bytes))
            assert.ok(payload.length <= bytes.length);
        } catch (error) {
          assert.ok(error instanceof WebSocketProtocolError);
        }
      }),
    );
  });

  it('hands a large frame on in pieces', () => {
    const frame = webSocketClientFrame(2, Buffer.alloc(100_000, 7));
    const decoder = new WebSocketDecoder();
    const first = [...decoder.push(frame.subarray(0, 1_014))];
    assert.deepEqual(
      first.map(({ bytes }) => bytes.length),
      [1_000],
    );
    assert.deepEqual(
      [...decoder.push(frame.subarray(1_014))].map(({ bytes }) => bytes.length),
      [99_000],
    );
  });

  const tooLarge = Buffer.alloc(14);
  tooLarge.set([0x82, 0xff]);
  tooLarge.writeBigUInt64BE(BigInt(WEB_SOCKET_FRAME_BYTES_MAX) + 1n, 2);
  const refused: readonly { readonly name: string; readonly bytes: Buffer; readonly words: RegExp }[] = [
    { name: 'a frame without a mask', bytes: webSocketClientFrame(1, 'x', { mask: undefined }), words: /not masked/ },
    { name: 'an unknown opcode', bytes: webSocketClientFrame(3, 'x'), words: /opcode 3/ },
    { name: 'reserved bits', bytes: Buffer.from([0xc1, 0x80, 0, 0, 0, 0]), words: /reserved/ },
    { name: 'a frame over the limit', bytes: tooLarge, words: /too large/ },
    {
      name: 'a fragmented control frame',
      bytes: webSocketClientFrame(9, 'x', { last: false }),
      words: /control frame/,
    },
    { name: 'a long control frame', bytes: webSocketClientFrame(8, Buffer.alloc(126)), words: /control frame/ },
    { name: 'a continuation of nothing', bytes: webSocketClientFrame(0, 'x'), words: /out of place/ },
    {
      name: 'a message within a message',
      bytes: Buffer.concat([webSocketClientFrame(1, 'x', { last: false }), webSocketClientFrame(1, 'y')]),
      words: /out of place/,
    },
  ];
  for (const { name, bytes, words } of refused) {
    it(`refuses ${name}`, () => {
      assert.throws(() => [...new WebSocketDecoder().push(bytes)], words);
    });
  }
});

describe('encodeWebSocketHeader', () => {
  const cases: readonly (readonly [length: number, header: readonly number[]])[] = [
    [0, [0x82, 0]],
    [125, [0x82, 125]],
    [126, [0x82, 126, 0, 126]],
    [65_535, [0x82, 126, 255, 255]],
    [65_536, [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]],
  ];
  for (const [length, header] of cases) {
    it(`of ${length} bytes`, () => assert.deepEqual([...encodeWebSocketHeader('binary', length)], header));
  }

  it('of a close frame has the code', () => assert.deepEqual([...encodeClose(1000)], [0x88, 2, 3, 232]));

  it('of a close frame has as much of the reason as fits, and no half of a character', () => {
    const [first, length, high, low, ...words] = encodeClose(4404, `x${'€'.repeat(60)}`);
    assert.deepEqual([first, length, high, low], [0x88, 2 + 1 + 40 * 3, 17, 52]);
    assert.equal(Buffer.from(words).toString(), `x${'€'.repeat(40)}`);
  });
});
