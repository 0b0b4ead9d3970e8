import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { recordingOf } from './recording.ts';
import { report, settledFindings } from './report.ts';
import { answerOf, HIJACKED, requestOf, type Scripted, scriptedEvents, UPGRADE } from './scripted-events.fixture.ts';
import { Timeline } from './timeline.ts';

const script: readonly Scripted[] = [
  { atMs: 10, side: 'client', bytes: requestOf('GET /v1.41/containers/web/json?size=1') },
  { atMs: 12, side: 'engine', bytes: answerOf('200 OK', { Id: 'x' }) },
  {
    atMs: 20,
    connection: 2,
    side: 'client',
    bytes: requestOf('POST /v1.41/containers/web/attach?stdin=1&stream=1', undefined, ...UPGRADE),
  },
  { atMs: 21, connection: 2, side: 'engine', bytes: HIJACKED },
  { atMs: 400, connection: 2, side: 'client', bytes: 'hello' },
  { atMs: 900, connection: 2, side: 'engine', end: 'close' },
  { atMs: 1000, side: 'client', bytes: requestOf('POST /v1.41/containers/web/stop?t=2') },
  { atMs: 3000, side: 'client', end: 'close' },
  { event: { type: 'finish', exitCode: 1, interrupted: false, openConnections: 0, atMs: 3010 } },
];
const recording = recordingOf(scriptedEvents(script));

describe('report', () => {
  it('gives programs the same that people read', () => {
    const document = JSON.parse(report(recording, 'json')) as {
      readonly format: string;
      readonly problems: number;
      readonly findings: readonly { readonly id: string; readonly summary: string }[];
      readonly connections: readonly { readonly firstToEnd: string | null }[];
      readonly exchanges: readonly {
        readonly endpoint: string;
        readonly ref: string;
        readonly outcome: { readonly by: string };
      }[];
    };
    assert.equal(document.format, 'fairlead-trace/1');
    assert.deepEqual([document.problems, document.findings.map(({ id }) => id)], [1, ['client-left-during-stop']]);
    assert.ok(report(recording, 'text').includes(document.findings[0]?.summary ?? 'no finding'));
    assert.deepEqual(
      document.connections.map(({ firstToEnd }) => firstToEnd),
      ['client', 'engine'],
    );
    assert.deepEqual(
      document.exchanges.map(({ endpoint, ref, outcome }) => [endpoint, ref, outcome.by]),
      [
        ['container.inspect', 'web', 'answer'],
        ['container.attach', 'web', 'answer'],
        ['container.stop', 'web', 'client'],
      ],
    );
  });

  it('writes what the HAR 1.2 specification wants of an entry', () => {
    const { log } = JSON.parse(report(recording, 'har')) as {
      readonly log: {
        readonly version: string;
        readonly creator: object;
        readonly entries: readonly Record<string, unknown>[];
      };
    };
    assert.equal(log.version, '1.2');
    assert.deepEqual(Object.keys(log.creator), ['name', 'version']);
    const [inspect, attach, stop] = log.entries as {
      readonly startedDateTime: string;
      readonly time: number;
      readonly request: Record<string, unknown>;
      readonly response: Record<string, unknown>;
      readonly timings: Record<string, number>;
      readonly comment?: string;
    }[];
    assert.deepEqual([inspect?.startedDateTime, inspect?.time], ['2026-01-01T00:00:00.010Z', 2]);
    assert.deepEqual(Object.keys(inspect?.request ?? {}), [
      'method',
      'url',
      'httpVersion',
      'cookies',
      'headers',
      'queryString',
      'headersSize',
      'bodySize',
    ]);
    assert.deepEqual(Object.keys(inspect?.response ?? {}), [
      'status',
      'statusText',
      'httpVersion',
      'cookies',
      'headers',
      'content',
      'redirectURL',
      'headersSize',
      'bodySize',
    ]);
    assert.deepEqual(
      [inspect?.request['url'], inspect?.request['queryString']],
      ['http://docker/v1.41/containers/web/json?size=1', [{ name: 'size', value: '1' }]],
    );
    assert.match(attach?.comment ?? '', /hijacked: a two-way stream; 5 bytes went to the engine/);
    assert.deepEqual(
      [stop?.response['status'], stop?.timings['wait'], stop?.comment],
      [0, 2000, 'the client ended the connection first (close)'],
    );
  });
});

describe('settledFindings', () => {
  it('waits until it is known what became of a container', () => {
    const look = (when: 'asked' | 'ended'): Scripted => ({
      event: {
        type: 'look',
        exchange: 3,
        when,
        ref: 'web',
        killConfirmMs: 14_000,
        fate: {
          known: 'state',
          id: 'c',
          status: 'running',
          running: when === 'asked',
          exitCode: 0,
          outOfMemory: false,
          finishedAt: '',
          stopTimeoutSeconds: null,
        },
        atMs: 3005,
      },
    });
    const withLooks = (...looks: readonly Scripted[]): readonly string[] =>
      settledFindings(recordingOf(scriptedEvents([...script.slice(0, -1), ...looks]))).map(({ id }) => id);
    assert.deepEqual(withLooks(), []);
    assert.deepEqual(withLooks(look('asked')), []);
    assert.deepEqual(withLooks(look('asked'), look('ended')), ['client-left-during-stop']);
  });
});

describe('Timeline', () => {
  it('says what happened in the order in which it did', () => {
    const timeline = new Timeline();
    const lines = scriptedEvents(script).flatMap((event) => timeline.add(event));
    assert.deepEqual(
      lines.map((line) => line.trim()),
      [
        '0.000  tracing client, with the engine at unix:///engine.sock',
        '0.010  #1    client connects',
        '0.010  #1  → GET /v1.41/containers/web/json?size=1',
        '0.012  #1  ← 200 OK  after 0.00 s  (10 B)',
        '0.020  #2    client connects',
        '0.020  #2  → POST /v1.41/containers/web/attach?stdin=1&stream=1',
        '0.021  #2  ← 101 UPGRADED  after 0.00 s',
        '0.021  #2    the connection is a stream now',
        '0.900  #2  → 5 B',
        '0.900  #2  ← the engine closes the connection first',
        '1.000  #1  → POST /v1.41/containers/web/stop?t=2',
        '3.000  #1  → the client closes the connection first, 2.00 s after POST /containers/web/stop?t=2, which has no answer',
        '3.010  the command ended with 1',
      ],
    );
  });

  it('never passes on what a terminal would take for a command', () => {
    const told = new Timeline();
    const shared = { connection: 1, exchange: 1, atMs: 0, bytes: 1, facts: {} };
    const body = { text: 'a\x1b]0;title\x07\r\nb', bytes: 100, cut: true };
    assert.deepEqual(
      told.add({ type: 'answer-end', ...shared, body }).map((line) => line.trim()),
      ['0.000       | a�]0;title�', '0.000       | b', '0.000       | … (100 B in all)'],
    );
  });
});
