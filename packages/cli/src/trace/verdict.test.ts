import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodeFrame } from '@fairlead/protocol';
import { findingsText } from './findings-text.ts';
import { recordingOf } from './recording.ts';
import { answerOf, HIJACKED, requestOf, type Scripted, scriptedEvents, UPGRADE } from './scripted-events.fixture.ts';
import type { ContainerFate, EndKind, Side } from './trace-event.ts';
import { verdict } from './verdict.ts';

const EXEC = 'e'.repeat(64);
const CONTAINER = 'c'.repeat(64);

function at(atMs: number, side: Side, bytes: string | Uint8Array): Scripted {
  return { atMs, side, bytes };
}

function ends(atMs: number, side: Side, end: EndKind): Scripted {
  return { atMs, side, end };
}

function onSecond(step: Scripted): Scripted {
  return 'event' in step ? step : { ...step, connection: 2 };
}

function finish(
  exitCode: number,
  options: { interrupted?: boolean; openConnections?: number; atMs?: number } = {},
): Scripted {
  const { interrupted = false, openConnections = 0, atMs = 60_000 } = options;
  return { event: { type: 'finish', exitCode, interrupted, openConnections, atMs } };
}

const stopped: ContainerFate & { readonly known: 'state' } = {
  known: 'state',
  id: CONTAINER,
  status: 'exited',
  running: false,
  exitCode: 137,
  outOfMemory: false,
  finishedAt: '2026-01-01T00:00:02.140Z',
  stopTimeoutSeconds: null,
};
const running: ContainerFate = {
  ...stopped,
  status: 'running',
  running: true,
  exitCode: 0,
  finishedAt: '0001-01-01T00:00:00Z',
};

function look(atMs: number, when: 'asked' | 'ended' | 'bound', fate: ContainerFate): Scripted {
  return { event: { type: 'look', exchange: 1, when, ref: 'web', killConfirmMs: 14_000, fate, atMs } };
}

/** A stop with this query whose client leaves after so long. */
function stop(query: string, leftMs: number, ...looks: readonly Scripted[]): readonly Scripted[] {
  return [
    at(0, 'client', requestOf(`POST /v1.41/containers/web/stop${query}`)),
    ends(leftMs, 'client', 'close'),
    ...looks,
    finish(1),
  ];
}

function execStart(stdin: boolean, tty = false): readonly Scripted[] {
  return [
    at(0, 'client', requestOf('POST /v1.41/containers/web/exec', { AttachStdin: stdin, Tty: tty, Cmd: ['cat'] })),
    at(1, 'engine', answerOf('201 Created', { Id: EXEC })),
    onSecond(at(2, 'client', requestOf(`POST /v1.41/exec/${EXEC}/start`, { Detach: false, Tty: tty }, ...UPGRADE))),
    onSecond(at(3, 'engine', HIJACKED)),
  ];
}

function execInspect(atMs: number, answer: object): readonly Scripted[] {
  return [
    at(atMs, 'client', requestOf(`GET /v1.41/exec/${EXEC}/json`)),
    at(atMs + 1, 'engine', answerOf('200 OK', answer)),
  ];
}

const problems: readonly { story: string; script: readonly Scripted[]; id: string; words: readonly RegExp[] }[] = [
  {
    story: 'a client whose timeout equals the grace',
    script: stop('?t=2', 2000, look(2010, 'asked', running), look(2150, 'ended', stopped)),
    id: 'client-left-during-stop',
    words: [
      /The client hung up first, after 2\.00 s on `POST \/containers\/web\/stop\?t=2`, before the engine had answered/,
      /told to wait up to 2\.0 s before SIGKILL \(`t=2` in the request\), so it could not have answered sooner: the client's timeout equals the grace/,
      /went on without the client: "web" stopped 0\.14 s later: exit 137, killed/,
      /at least 17\.4 s: 2\.0 s of grace \+ 14\.0 s until a kill is confirmed \+ 1\.4 s of reserve/,
    ],
  },
  {
    story: "a timeout that is shorter than the container's own grace",
    script: stop('', 60_000, look(60_010, 'asked', { ...running, stopTimeoutSeconds: 300 })),
    id: 'client-left-during-stop',
    words: [
      /up to 300\.0 s before SIGKILL \(the container's own StopTimeout\).*shorter than the grace/,
      /"web" was still running 0\.01 s later/,
    ],
  },
  {
    story: 'a timeout between the grace and the bound, nobody having looked',
    script: stop('', 12_000),
    id: 'client-left-during-stop',
    words: [
      /up to 10\.0 s before SIGKILL \(the engine's default/,
      /due after 24\.0 s at the latest. The client's timeout lies between/,
      /Nobody looked/,
    ],
  },
  {
    story: 'an engine that is overdue',
    script: stop('?t=1', 20_000, look(20_001, 'asked', running)),
    id: 'client-left-during-stop',
    words: [/due after 15\.0 s at the latest. It is overdue/, /a grace of 4 s fits into 20\.00 s/],
  },
  {
    story: 'a grace without end',
    script: stop('?t=-1', 5000, look(5001, 'asked', running)),
    id: 'client-left-during-stop',
    words: [/wait without end before SIGKILL \(`t=-1` in the request\)/, /Give the stop a grace/],
  },
  {
    story: 'an answer that was on its way',
    script: stop('?t=1', 2500, look(2510, 'asked', stopped)),
    id: 'client-left-during-stop',
    words: [/"web" had stopped 0\.36 s before: exit 137, killed. The answer was on its way/],
  },
  {
    story: 'a container that was removed meanwhile',
    script: stop('?t=1', 1000, look(1500, 'asked', { known: 'gone' })),
    id: 'client-left-during-stop',
    words: [/"web" was gone 0\.50 s later/],
  },
  {
    story: 'an answer that came over TCP to nobody',
    script: [
      at(0, 'client', requestOf('POST /v1.41/containers/web/stop?t=1')),
      ends(500, 'client', 'fin'),
      at(1040, 'engine', 'HTTP/1.1 204 No Content\r\n\r\n'),
      ends(1041, 'client', 'reset'),
      look(1100, 'asked', stopped),
      finish(1),
    ],
    id: 'client-left-during-stop',
    words: [/hung up first, after 0\.50 s/, /1\.040 {2}the answer, to nobody: 204 No Content/],
  },
  {
    story: 'a create that the client did not wait for',
    script: [
      at(0, 'client', requestOf('POST /v1.41/containers/create?name=web', { Image: 'x' })),
      ends(500, 'client', 'fin'),
      finish(1),
    ],
    id: 'client-left-before-answer',
    words: [/hung up first, after 0\.50 s on `POST \/containers\/create\?name=web`/, /may go on with it all the same/],
  },
  {
    story: 'an engine that goes away without an answer',
    script: [at(0, 'client', requestOf('GET /info')), ends(700, 'engine', 'reset'), finish(1)],
    id: 'engine-left-before-answer',
    words: [/The engine reset the connection first, 0\.70 s after `GET \/info`, without an answer/],
  },
  {
    story: 'a request that has no answer at the end',
    script: [at(0, 'client', requestOf('GET /info')), finish(0, { openConnections: 1, atMs: 9000 })],
    id: 'never-answered',
    words: [/`GET \/info` had no answer when the trace ended, after 9\.00 s/],
  },
  {
    story: 'an engine that cannot be reached',
    script: [
      { event: { type: 'connect', connection: 1, atMs: 0 } },
      {
        event: {
          type: 'connect-failed',
          connection: 1,
          errno: 'ECONNREFUSED',
          message: 'Cannot connect to the engine',
          atMs: 1,
        },
      },
      finish(1),
    ],
    id: 'engine-unreachable',
    words: [/Cannot connect to the engine \(ECONNREFUSED\)/],
  },
  {
    story: 'a refusal that the command did not cope with',
    script: [
      at(0, 'client', requestOf('POST /v1.41/containers/web/start')),
      at(9, 'engine', answerOf('409 Conflict', { message: 'is paused' })),
      finish(1),
    ],
    id: 'refused',
    words: [/`POST \/containers\/web\/start` with 409 Conflict: is paused/],
  },
  {
    story: 'a client that is too new',
    script: [
      at(0, 'client', requestOf('GET /v1.52/info')),
      at(
        1,
        'engine',
        answerOf(
          '400 Bad Request',
          { message: 'client version 1.52 is too new. Maximum supported API version is 1.44' },
          'Api-Version: 1.44',
        ),
      ),
      finish(1),
    ],
    id: 'api-version-refused',
    words: [/speaks API version 1\.52, and 1\.44 is the newest/, /DOCKER_API_VERSION=1\.44/],
  },
  {
    story: 'a client that is too old',
    script: [
      at(0, 'client', requestOf('GET /v1.10/info')),
      at(
        1,
        'engine',
        answerOf(
          '400 Bad Request',
          { message: 'client version 1.10 is too old. Minimum supported API version is 1.24, please upgrade' },
          'Api-Version: 1.44',
        ),
      ),
      finish(1),
    ],
    id: 'api-version-refused',
    words: [/speaks API version 1\.10, and 1\.24 is the oldest/],
  },
  {
    story: 'an exec whose exit code nobody asked for',
    script: [
      ...execStart(false),
      onSecond(ends(9, 'engine', 'close')),
      { event: { type: 'exec-look', exchange: 2, exec: EXEC, exitCode: 3, atMs: 20 } },
      finish(0),
    ],
    id: 'exec-exit-code-not-asked',
    words: [/Nobody asked for the exit code of the exec `eeeeeeeeeeee`/, /The tracer asked: it was 3/],
  },
  {
    story: 'an exec that was inspected while it ran, and not again',
    script: [
      ...execStart(false),
      ...execInspect(5, { Running: true, ExitCode: null }),
      onSecond(ends(9, 'engine', 'close')),
      finish(0),
    ],
    id: 'exec-inspected-while-running',
    words: [/was inspected only while it still ran/, /inspected: Running true, ExitCode null/],
  },
  {
    story: 'a stream that ends in the middle of a frame',
    script: [
      ...execStart(false),
      onSecond(at(4, 'engine', encodeFrame('stdout', Buffer.from('0123456789')).subarray(0, 11))),
      onSecond(ends(5, 'engine', 'close')),
      ...execInspect(6, { Running: false, ExitCode: 0 }),
      finish(0),
    ],
    id: 'stream-cut',
    words: [
      /The engine ended the connection in the middle of a frame of the stream/,
      /11 B came; 7 B of the last frame's payload are missing/,
    ],
  },
  {
    story: 'an answer that ends in the middle',
    script: [
      at(0, 'client', requestOf('GET /info')),
      at(1, 'engine', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n'),
      ends(2, 'engine', 'close'),
      finish(0),
    ],
    id: 'answer-cut',
    words: [/in the middle of the answer's body/, /the chunk that says "this is the end" did not/],
  },
  {
    story: 'an input whose end was never sent',
    script: [
      ...execStart(true),
      onSecond(at(4, 'client', 'some input')),
      onSecond(ends(5000, 'client', 'close')),
      finish(1),
    ],
    id: 'stdin-never-closed',
    words: [/The end of the input was never sent on `POST \/exec\/eeeeeeeeeeee\/start`/, /10 B of input were sent/],
  },
];

/** A ping that was given up while the way to the engine was made. */
const slowWay: readonly Scripted[] = [
  at(0, 'client', ''),
  { event: { type: 'connected', connection: 1, atMs: 4000 } },
  at(4001, 'client', requestOf('HEAD /_ping')),
  ends(4002, 'client', 'close'),
];

const fine: readonly { story: string; script: readonly Scripted[] }[] = [
  {
    story: 'a wait that is left, as `docker run -d` does',
    script: [
      at(0, 'client', requestOf(`POST /v1.41/containers/${CONTAINER}/wait?condition=next-exit`)),
      at(1, 'engine', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'),
      ends(2, 'client', 'close'),
      finish(0),
    ],
  },
  {
    story: 'a resize whose answer a client does not wait for when it ends',
    script: [
      at(0, 'client', requestOf(`POST /v1.41/exec/${EXEC}/resize?h=24&w=80`)),
      ends(2, 'client', 'close'),
      finish(5),
    ],
  },
  {
    story: 'a log that is left in the middle',
    script: [
      at(0, 'client', requestOf('GET /v1.41/containers/web/logs?follow=1')),
      at(1, 'engine', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc'),
      ends(2, 'client', 'close'),
      finish(130, { interrupted: true }),
    ],
  },
  {
    story: 'an exec that was asked for its exit code',
    script: [
      ...execStart(true),
      onSecond(ends(4, 'client', 'half-close')),
      onSecond(ends(9, 'engine', 'close')),
      ...execInspect(10, { Running: false, ExitCode: 3 }),
      finish(3),
    ],
  },
  {
    story: 'a terminal that is left by its keys',
    script: [
      ...execStart(true, true),
      onSecond(at(5, 'client', '\x10\x11')),
      onSecond(ends(6, 'client', 'close')),
      finish(0),
    ],
  },
  {
    story: 'a stop that is answered to a client which sends no more',
    script: [
      at(0, 'client', requestOf('POST /v1.41/containers/web/stop')),
      ends(1, 'client', 'half-close'),
      at(900, 'engine', 'HTTP/1.1 204 No Content\r\n\r\n'),
      ends(901, 'engine', 'close'),
      finish(0),
    ],
  },
  {
    story: 'a stop that is answered over TCP to a client which only half-closed',
    script: [
      at(0, 'client', requestOf('POST /v1.41/containers/web/stop')),
      ends(1, 'client', 'fin'),
      at(900, 'engine', 'HTTP/1.1 204 No Content\r\n\r\n'),
      ends(901, 'engine', 'fin'),
      finish(0),
    ],
  },
  {
    story: 'a ping that Docker’s client gave up, and made up for',
    script: [
      ...slowWay,
      at(4100, 'client', requestOf('GET /info')),
      at(4101, 'engine', answerOf('200 OK', {})),
      finish(4),
    ].map((step) => ('event' in step || step.atMs < 4100 ? step : onSecond(step))),
  },
  {
    story: 'an image that is pulled because it was missing',
    script: [
      at(0, 'client', requestOf('POST /v1.41/containers/create', { Image: 'x' })),
      at(1, 'engine', answerOf('404 Not Found', { message: 'No such image: x' })),
      at(2, 'client', requestOf('POST /v1.41/images/create?fromImage=x')),
      at(3, 'engine', answerOf('200 OK', {})),
      finish(0),
    ],
  },
  {
    story: 'a path that `docker cp` looks for',
    script: [
      at(0, 'client', requestOf('HEAD /v1.41/containers/web/archive?path=x')),
      at(1, 'engine', answerOf('404 Not Found').replace('application/json', 'x')),
      finish(1),
    ],
  },
];

describe('verdict', () => {
  for (const { story, script, id, words } of problems) {
    it(`finds ${story}`, () => {
      const recording = recordingOf(scriptedEvents(script));
      const findings = verdict(recording);
      const found = findings.filter(({ level }) => level === 'problem');
      assert.deepEqual(
        found.map((finding) => finding.id),
        [id],
      );
      const text = findingsText(recording, findings);
      for (const word of words) assert.match(text, word);
      assert.ok(found[0]?.evidence.length !== 0, 'it has evidence');
    });
  }

  for (const { story, script } of fine) {
    it(`finds nothing wrong with ${story}`, () => {
      const found = verdict(recordingOf(scriptedEvents(script)));
      assert.deepEqual(
        found.filter(({ level }) => level === 'problem'),
        [],
      );
    });
  }

  it('takes a refusal that the command coped with for a note', () => {
    const script = [
      at(0, 'client', requestOf('DELETE /v1.41/containers/x?force=1')),
      at(1, 'engine', answerOf('404 Not Found', { message: 'No such container: x' })),
      finish(0),
    ];
    assert.deepEqual(
      verdict(recordingOf(scriptedEvents(script))).map(({ id, level }) => [id, level]),
      [['refused', 'note']],
    );
  });

  it('takes what a person broke off for a note, but not a stop', () => {
    const interrupted = finish(130, { interrupted: true });
    const left = [at(0, 'client', requestOf('GET /info')), ends(500, 'client', 'close'), interrupted];
    assert.deepEqual(
      verdict(recordingOf(scriptedEvents(left))).map(({ level }) => level),
      ['note'],
    );
    const stopped = [...stop('?t=2', 500).slice(0, -1), interrupted];
    assert.deepEqual(
      verdict(recordingOf(scriptedEvents(stopped))).map(({ level }) => level),
      ['problem'],
    );
  });

  it('says how long a request had waited for the way to the engine', () => {
    const [finding] = verdict(recordingOf(scriptedEvents([...slowWay, finish(1)])));
    assert.deepEqual(
      [finding?.level, finding?.details],
      ['problem', ['Before that it had waited 4.00 s for the connection to the engine.']],
    );
  });

  it('says that whoever detaches leaves a container running', () => {
    const attach = requestOf('POST /v1.41/containers/web/attach?stream=1&stdin=1', undefined, ...UPGRADE);
    const script = [at(0, 'client', attach), at(1, 'engine', HIJACKED), ends(900, 'client', 'close'), finish(0)];
    assert.deepEqual(
      verdict(recordingOf(scriptedEvents(script))).map(({ id, level }) => [id, level]),
      [['detached', 'note']],
    );
  });

  it('does not take the exit code of a killed container for an interruption', () => {
    const left = [at(0, 'client', requestOf('GET /info')), ends(500, 'client', 'close'), finish(137)];
    assert.deepEqual(
      verdict(recordingOf(scriptedEvents(left))).map(({ level }) => level),
      ['problem'],
    );
  });

  it('says when nobody connected', () => {
    assert.deepEqual(
      verdict(recordingOf(scriptedEvents([finish(0)]))).map(({ id }) => id),
      ['no-connection'],
    );
  });
});
