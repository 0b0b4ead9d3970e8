import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodeFrame } from '@fairlead/protocol';
import * as fc from 'fast-check';
import { Conversation } from './conversation.ts';
import { recordingOf } from './recording.ts';
import type { Exchange } from './recording.ts';
import type { TraceEvent } from './trace-event.ts';

type Step =
  | { readonly from: 'client' | 'engine'; readonly bytes: string | Uint8Array }
  | { readonly end: 'client' | 'engine' };

const c = (bytes: string | Uint8Array): Step => ({ from: 'client', bytes });
const e = (bytes: string | Uint8Array): Step => ({ from: 'engine', bytes });
const UPGRADE = 'Connection: Upgrade\r\nUpgrade: tcp\r\n';
const RAW_STREAM = 'Content-Type: application/vnd.docker.raw-stream\r\n';
const EXEC = `/v1.41/exec/${'a'.repeat(64)}/start`;

/** Every event of a connection on which this happened; `cutTo` cuts all bytes into pieces of that many. */
function events(
  steps: readonly Step[],
  options: { cutTo?: number; bodies?: number; secrets?: boolean } = {},
): readonly TraceEvent[] {
  const told: TraceEvent[] = [];
  let exchanges = 0;
  const wishes = { limitBytes: options.bodies ?? 0, secrets: options.secrets ?? false };
  const conversation = new Conversation(
    { connection: 1, wishes, nextExchange: () => (exchanges += 1), tell: (event) => void told.push(event) },
    0,
  );
  told.push({ type: 'connect', connection: 1, atMs: 0 });
  for (const step of steps) {
    if ('end' in step) {
      conversation.ended(step.end, 'close', 0);
      continue;
    }
    const bytes = Buffer.from(step.bytes as Uint8Array);
    const size = options.cutTo ?? bytes.length;
    for (let at = 0; at < bytes.length; at += size) {
      const piece = bytes.subarray(at, at + size);
      if (step.from === 'client') conversation.fromClient(piece, 0);
      else conversation.fromEngine(piece, 0);
    }
  }
  conversation.closed(0);
  return told;
}

function exchanges(steps: readonly Step[], cutTo?: number): readonly Exchange[] {
  return recordingOf(events(steps, cutTo === undefined ? {} : { cutTo })).exchanges;
}

/** What a table of cases compares. */
function summary({ method, answer, answerBytes, stream, cuts }: Exchange): unknown {
  const cut = cuts.map(({ side, cut }) => `${side} within ${cut.within}`).join();
  return [method, answer?.status, answer?.endAtMs !== undefined, answerBytes, stream?.inputBytes, cut]
    .map((item) => item ?? '-')
    .join(' ');
}

const cases: readonly { fact: string; steps: readonly Step[]; expected: readonly string[] }[] = [
  {
    fact: 'pairs pipelined requests with their answers',
    steps: [
      c('GET /a HTTP/1.1\r\n\r\nHEAD /_ping HTTP/1.1\r\n\r\nGET /c HTTP/1.1\r\n\r\n'),
      e('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'),
      e('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'),
      e('HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'),
    ],
    expected: ['GET 200 true 2 - ', 'HEAD 200 true 0 - ', 'GET 404 true 3 - '],
  },
  {
    fact: 'knows that 204 and 304 have no body, and that 100 is not the answer',
    steps: [
      c('PUT /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n'),
      e('HTTP/1.1 100 Continue\r\n\r\n'),
      c('x'),
      e('HTTP/1.1 204 No Content\r\n\r\n'),
      c('POST /b HTTP/1.1\r\nContent-Length: 0\r\n\r\n'),
      e('HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n'),
    ],
    expected: ['PUT 204 true 0 - ', 'POST 304 true 0 - '],
  },
  {
    fact: 'follows an upgrade, also when the input comes before the answer',
    steps: [
      c(`POST ${EXEC} HTTP/1.1\r\n${UPGRADE}Content-Length: 2\r\n\r\n{}early`),
      e(`HTTP/1.1 101 UPGRADED\r\n${RAW_STREAM}${UPGRADE}\r\n`),
      c('GET / HTTP/1.1\r\n\r\n'),
      e(encodeFrame('stdout', Buffer.from('hi'))),
      { end: 'engine' },
    ],
    expected: ['POST 101 true 10 23 '],
  },
  {
    fact: 'follows a hijack without an upgrade',
    steps: [
      c(`POST ${EXEC} HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}`),
      e(`HTTP/1.1 200 OK\r\n${RAW_STREAM}\r\n`),
      c('abc'),
      e('x'),
      { end: 'engine' },
    ],
    expected: ['POST 200 true 1 3 '],
  },
  {
    fact: 'goes on with the next request when an upgrade is refused',
    steps: [
      c(`POST ${EXEC} HTTP/1.1\r\n${UPGRADE}Content-Length: 2\r\n\r\n{}GET /next HTTP/1.1\r\n\r\n`),
      e('HTTP/1.1 409 Conflict\r\nContent-Length: 2\r\n\r\n{}'),
      e('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
    ],
    expected: ['POST 409 true 2 - ', 'GET 200 true 0 - '],
  },
  {
    fact: 'says when the engine ends in the middle of a frame',
    steps: [
      c(`POST ${EXEC} HTTP/1.1\r\n${UPGRADE}\r\n`),
      e(`HTTP/1.1 101 UPGRADED\r\n${RAW_STREAM}\r\n`),
      e(encodeFrame('stderr', Buffer.from('broken off')).subarray(0, 12)),
      { end: 'engine' },
    ],
    expected: ['POST 101 false 12 0 engine within frame'],
  },
  {
    fact: 'says when an answer or a request ends in the middle',
    steps: [
      c('GET /a HTTP/1.1\r\n\r\n'),
      e('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc'),
      { end: 'engine' },
      c('PUT /b HTTP/1.1\r\nContent-Length: 9\r\n\r\nab'),
      { end: 'client' },
    ],
    expected: ['GET 200 false 3 - engine within body', 'PUT - false 0 - client within body'],
  },
];

describe('Conversation', () => {
  for (const { fact, steps, expected } of cases) {
    it(fact, () => assert.deepEqual(exchanges(steps).map(summary), expected));
  }

  it('sees the same in any chunking', () => {
    fc.assert(
      fc.property(fc.constantFrom(...cases), fc.integer({ min: 1, max: 40 }), ({ steps, expected }, cutTo) => {
        assert.deepEqual(exchanges(steps, cutTo).map(summary), expected);
      }),
    );
  });

  it('never throws, whatever the two sides send', () => {
    const step = fc.oneof(
      fc.record({
        from: fc.constantFrom('client' as const, 'engine' as const),
        bytes: fc.uint8Array({ maxLength: 50 }),
      }),
      fc.constantFrom(...cases.flatMap(({ steps }) => steps)),
    );
    fc.assert(fc.property(fc.array(step, { maxLength: 12 }), (steps) => void recordingOf(events(steps))));
  });

  it('learns from bodies without keeping them', () => {
    const create = JSON.stringify({ AttachStdin: true, Tty: false, Env: ['TOKEN=s3cret'], Cmd: ['cat'] });
    const told = events([
      c(
        `POST /v1.41/containers/web/exec HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: ${create.length}\r\n\r\n${create}`,
      ),
      e(
        'HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{"Id":"abcdef"}'.replace(
          '14',
          '15',
        ),
      ),
    ]);
    const [exchange] = recordingOf(told).exchanges;
    assert.deepEqual(
      [exchange?.endpoint.name, exchange?.endpoint.ref, exchange?.facts],
      ['exec.create', 'web', { stdin: true, tty: false, createdId: 'abcdef' }],
    );
    assert.doesNotMatch(JSON.stringify(told), /s3cret/);
  });

  it('hides credentials and the values of variables, unless asked for', () => {
    const body = JSON.stringify({ Env: ['TOKEN=s3cret', 'PLAIN'], password: 's3cret' });
    const steps = [
      c(
        `POST /v1.41/build?buildargs=s3cret&x=1 HTTP/1.1\r\nAuthorization: Bearer s3cret\r\nx-registry-auth: s3cret\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      ),
    ];
    const hidden = JSON.stringify(events(steps, { bodies: 1000 }));
    assert.doesNotMatch(hidden, /s3cret/);
    assert.match(hidden, /TOKEN=\(redacted, 6 characters\)/);
    assert.equal(JSON.stringify(events(steps, { bodies: 1000, secrets: true })).match(/s3cret/g)?.length, 5);
  });

  it('does not show a body that it cannot search for secrets', () => {
    const head = 'POST /a HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n';
    assert.doesNotMatch(JSON.stringify(events([c(`${head}{"Env":["A=s3c`)], { bodies: 1000 })), /s3c/);
  });
});
