import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { HttpQuestion } from '../raw-http.ts';
import { sessions } from '../sessions.ts';

const JSON_TYPE = { 'Content-Type': 'application/json' };
const json = (body: string): HttpQuestion => ({ body, headers: JSON_TYPE });

interface Refusal {
  readonly target: string;
  readonly question?: HttpQuestion;
  /** As Docker 28 has it. Where 20.10 answers otherwise, `old` is what it says. `RUNNING` stands for a container. */
  readonly status: number;
  readonly words: string | RegExp;
  readonly old?: readonly [status: number, words: string | RegExp];
}

const BODIES: readonly Refusal[] = [
  {
    target: 'POST /containers/create',
    question: json('{"Image":'),
    status: 400,
    words: 'invalid JSON: unexpected EOF',
    old: [500, 'unexpected EOF'],
  },
  {
    target: 'POST /containers/create',
    question: json('{"Image": 5}'),
    status: 400,
    words: /^invalid JSON: json: cannot unmarshal number into Go struct field \w+\.Image of type string$/,
    old: [500, /^json: cannot unmarshal number into Go struct field \w+\.Image of type string$/],
  },
  {
    target: 'POST /containers/create',
    question: json('{"Image": "busybox", "HostConfig": {"Memory": "1g"}}'),
    status: 400,
    words:
      /^invalid JSON: json: cannot unmarshal string into Go struct field HostConfig\.HostConfig\.Memory of type int64$/,
    old: [500, /^json: cannot unmarshal string into Go struct field HostConfig\.HostConfig\.Memory of type int64$/],
  },
  {
    target: 'POST /containers/create',
    question: json('[]'),
    status: 400,
    words: /^invalid JSON: json: cannot unmarshal array into Go value of type \S+$/,
    old: [500, /^json: cannot unmarshal array into Go value of type \S+$/],
  },
  {
    target: 'POST /containers/create',
    question: json('['.repeat(100_000)),
    status: 400,
    words: /exceeded max depth$/,
    old: [500, /exceeded max depth$/],
  },
  {
    target: 'POST /containers/create',
    question: json('{}'),
    status: 400,
    words: 'config cannot be empty in order to create a container',
    old: [400, 'Config cannot be empty in order to create a container'],
  },
  {
    target: 'POST /containers/create',
    question: json('null'),
    status: 400,
    words: 'config cannot be empty in order to create a container',
    old: [400, 'Config cannot be empty in order to create a container'],
  },
  {
    target: 'POST /containers/create',
    question: { body: '{"Image":"busybox"}', headers: { 'Content-Type': 'text/plain' } },
    status: 400,
    words: "unsupported Content-Type header (text/plain): must be 'application/json'",
    old: [400, "Content-Type specified (text/plain) must be 'application/json'"],
  },
  {
    target: 'POST /containers/create',
    question: { body: '{"Image":"busybox"}' },
    status: 400,
    words: 'malformed Content-Type header (): mime: no media type',
    old: [400, "Content-Type specified () must be 'application/json'"],
  },
  {
    target: 'POST /containers/create',
    question: { json: { Image: '../../etc' } },
    status: 400,
    words: 'invalid reference format',
  },
  {
    target: 'POST /containers/create',
    question: { json: { Image: 'nosuch' } },
    status: 404,
    words: 'No such image: nosuch:latest',
  },
  {
    target: 'POST /containers/create',
    question: { json: { Image: 'busybox', Env: ['=x'] } },
    status: 400,
    words: 'invalid environment variable: =x',
  },
  {
    target: 'POST /containers/create',
    question: { json: { Image: 'busybox', WorkingDir: 'x' } },
    status: 400,
    words: "the working directory 'x' is invalid, it needs to be an absolute path",
  },
  {
    target: 'POST /containers/create',
    question: { json: { Image: 'busybox', StopSignal: 'BOGUS' } },
    status: 400,
    words: 'invalid signal: BOGUS',
    old: [400, 'Invalid signal: BOGUS'],
  },
  {
    target: 'POST /containers/create',
    question: { json: { Image: 'busybox', HostConfig: { Binds: ['/a:'] } } },
    status: 400,
    words: "invalid volume specification: '/a:'",
    old: [500, "invalid volume specification: '/a:'"],
  },
  {
    target: 'POST /containers/create',
    question: { json: { Image: 'busybox', HostConfig: { CapAdd: ['BOGUS'] } } },
    status: 400,
    words: 'invalid CapAdd: unknown capability: "CAP_BOGUS"',
  },
  {
    target: 'POST /containers/create',
    question: { json: { Image: 'busybox', HostConfig: { RestartPolicy: { Name: 'bogus' } } } },
    status: 400,
    words:
      "invalid restart policy: unknown policy 'bogus'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'",
    old: [400, "invalid restart policy 'bogus'"],
  },
  {
    target: 'POST /containers/create',
    question: { json: { Image: 'busybox', HostConfig: { ShmSize: -1 } } },
    status: 400,
    words: 'SHM size can not be less than 0',
  },
  {
    target: 'POST /containers/RUNNING/start',
    question: json('{"Binds": []}'),
    status: 400,
    words: 'starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24',
  },
  {
    target: 'POST /containers/RUNNING/exec',
    question: { json: { Cmd: 'sh' } },
    status: 400,
    words: /^invalid JSON: json: cannot unmarshal string into Go struct field \w+\.Cmd of type \[\]string$/,
    old: [400, /^json: cannot unmarshal string into Go struct field \w+\.Cmd of type \[\]string$/],
  },
  { target: 'POST /containers/RUNNING/exec', question: { json: {} }, status: 400, words: 'No exec command specified' },
  {
    target: 'POST /containers/RUNNING/exec',
    question: { json: { Cmd: ['x'], DetachKeys: 'bogus' } },
    status: 400,
    words: 'Invalid detach keys (bogus) provided',
    old: [500, 'Invalid escape keys (bogus) provided'],
  },
];

const PATHS: readonly Refusal[] = [
  ...['GET /nosuch', 'GET /v1.41/nosuch', 'PATCH /containers/json', 'POST /info', 'GET /vx/info'].map((target) => ({
    target,
    status: 404,
    words: 'page not found',
  })),
  {
    target: 'GET /v9.99/info',
    status: 400,
    words: 'client version 9.99 is too new. Maximum supported API version is 1.44',
    old: [400, 'client version 9.99 is too new. Maximum supported API version is 1.41'],
  },
  {
    target: 'POST /containers/create?name=../x',
    question: { json: { Image: 'busybox' } },
    status: 400,
    words: 'Invalid container name (../x), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed',
  },
  {
    target: 'POST /containers/create?name=a%00b',
    question: { json: { Image: 'busybox' } },
    status: 400,
    words: 'Invalid container name (a\0b), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed',
  },
  {
    target: 'POST /containers/create?name=a',
    question: { json: { Image: 'busybox' } },
    status: 400,
    words: 'Invalid container name (a), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed',
  },
  { target: 'GET /containers/nosuch/json', status: 404, words: 'No such container: nosuch' },
  { target: 'GET /containers/a%00b/json', status: 404, words: 'No such container: a\0b' },
  { target: 'GET /exec/nosuch/json', status: 404, words: 'No such exec instance: nosuch' },
  { target: 'POST /exec/nosuch/start', question: { json: {} }, status: 404, words: 'No such exec instance: nosuch' },
  { target: 'POST /exec/nosuch/resize?h=1&w=1', status: 404, words: 'No such exec instance: nosuch' },
  { target: 'DELETE /containers/nosuch?force=1', status: 404, words: 'No such container: nosuch' },
  { target: 'DELETE /images/nosuch', status: 404, words: 'No such image: nosuch:latest' },
];

const QUERIES: readonly Refusal[] = [
  {
    target: 'GET /containers/json?limit=abc',
    status: 400,
    words: 'strconv.Atoi: parsing "abc": invalid syntax',
    old: [500, 'strconv.Atoi: parsing "abc": invalid syntax'],
  },
  {
    target: 'GET /containers/json?filters=%7Bbad',
    status: 400,
    words: 'invalid filter',
    old: [500, /^invalid character/],
  },
  {
    target: 'GET /containers/json?filters=%7B%22bogus%22:[%22x%22]%7D',
    status: 400,
    words: "invalid filter 'bogus'",
    old: [400, "Invalid filter 'bogus'"],
  },
  {
    target: 'POST /containers/nosuch/stop?t=abc',
    status: 400,
    words: 'strconv.Atoi: parsing "abc": invalid syntax',
    old: [500, 'strconv.Atoi: parsing "abc": invalid syntax'],
  },
  {
    target: 'POST /containers/RUNNING/stop?t=99999999999999999999',
    status: 400,
    words: 'strconv.Atoi: parsing "99999999999999999999": value out of range',
    old: [500, 'strconv.Atoi: parsing "99999999999999999999": value out of range'],
  },
  {
    target: 'POST /containers/RUNNING/kill?signal=BOGUS',
    status: 400,
    words: 'invalid signal: BOGUS',
    old: [400, 'Invalid signal: BOGUS'],
  },
  {
    target: 'POST /containers/RUNNING/kill?signal=0',
    status: 400,
    words: 'invalid signal: 0',
    old: [400, 'Invalid signal: 0'],
  },
  {
    target: 'POST /containers/RUNNING/kill?signal=65',
    status: 400,
    words: 'cannot kill container: RUNNING: the linux daemon does not support signal 65',
    old: [500, 'Cannot kill container: RUNNING: The linux daemon does not support signal 65'],
  },
  {
    target: 'POST /containers/RUNNING/kill?signal=-1',
    status: 400,
    words: /^cannot kill container: RUNNING: the linux daemon does not support signal -1$/,
    old: [500, /^Cannot kill container: RUNNING: The linux daemon does not support signal \d+$/],
  },
  {
    target: 'POST /containers/RUNNING/resize?h=x&w=1',
    status: 400,
    words: 'invalid resize height "x": invalid syntax',
    old: [400, 'strconv.Atoi: parsing "x": invalid syntax'],
  },
  { target: 'POST /containers/RUNNING/rename', status: 400, words: 'Neither old nor new names may be empty' },
  {
    target: 'POST /containers/RUNNING/rename?name=a%20b',
    status: 400,
    words: 'Error when allocating new name: Invalid container name (/a b), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed',
  },
  {
    target: 'GET /containers/RUNNING/logs?stdout=1&since=abc',
    status: 400,
    words: 'strconv.ParseInt: parsing "abc": invalid syntax',
    old: [500, 'strconv.ParseInt: parsing "abc": invalid syntax'],
  },
  {
    target: 'GET /containers/RUNNING/top?ps_args=-o%20comm',
    status: 500,
    words: "Couldn't find PID field in ps output",
  },
  { target: 'GET /containers/RUNNING/top?ps_args=-o%20x=PID', status: 500, words: 'specifying "x=PID" is not allowed' },
  { target: 'GET /containers/RUNNING/top?ps_args=--bogus', status: 500, words: 'ps: error: unknown gnu long option' },
  {
    target: 'GET /events?since=abc',
    status: 400,
    words: 'strconv.ParseInt: parsing "abc": invalid syntax',
    old: [500, 'strconv.ParseInt: parsing "abc": invalid syntax'],
  },
  {
    target: 'POST /images/busybox/tag',
    status: 400,
    words: 'invalid reference format',
    old: [500, 'invalid reference format'],
  },
];

sessions('bad input', (session) => {
  let running: Promise<string> | undefined;

  for (const { target, question = {}, status, words, old } of [...BODIES, ...PATHS, ...QUERIES]) {
    const said = String(question.body ?? JSON.stringify(question.json) ?? '').slice(0, 60);
    it(`${target} ${said}`.trim(), async () => {
      const name = target.includes('RUNNING') ? await (running ??= session.background()) : '';
      const answer = await session.ask(target.replace('RUNNING', name), question);
      const [expectedStatus, expectedWords] = session.kind === 'dockerd' ? (old ?? [status, words]) : [status, words];
      assert.equal(answer.status, expectedStatus, answer.body);
      assert.equal(answer.headers['content-type'], 'application/json');
      assert.match(answer.body, /\}\n$/);
      const { message } = JSON.parse(answer.body) as { message: string };
      const text = name === '' ? message : message.replaceAll(name, 'RUNNING');
      if (typeof expectedWords === 'string') assert.equal(text, expectedWords);
      else assert.match(text, expectedWords);
    });
  }

  it('a wait for a condition that does not exist', async () => {
    const name = session.name();
    await session.docker.ok('create', '--name', name, 'busybox');
    const { status, body } = await session.ask(`POST /containers/${name}/wait?condition=bogus`);
    const expected = session.differs({
      fairlead: [400, '{"message":"invalid condition: \\"bogus\\""}\n'],
      dockerd: [200, '{"Error":null,"StatusCode":0}\n'],
    });
    assert.deepEqual([status, body], expected);
  });

  it('what comes after the JSON', async () => {
    const { status, body } = await session.ask('POST /containers/create', json('{"Image": "busybox"} trailing'));
    assert.equal(status, session.differs({ fairlead: 400, dockerd: 201 }));
    if (session.kind === 'fairlead') assert.equal(body, '{"message":"unexpected content after JSON"}\n');
  });

  it('a version that is too old is refused in plain text', async () => {
    const { status, headers, body } = await session.ask('GET /v1.10/info');
    const oldest = session.differs({ fairlead: '1.24', dockerd: '1.12' });
    assert.deepEqual([status, headers['content-type']], [400, 'text/plain; charset=utf-8']);
    assert.equal(
      body,
      `client version 1.10 is too old. Minimum supported API version is ${oldest}, please upgrade your client to a newer version\n`,
    );
  });

  it('an id that is the beginning of several', async () => {
    // Of seventeen ids two begin with the same of sixteen digits.
    const ids = await Promise.all(
      Array.from({ length: 17 }, async () => {
        const { body } = await session.ask('POST /containers/create', { json: { Image: 'busybox' } });
        return (JSON.parse(body) as { Id: string }).Id;
      }),
    );
    const firsts = ids.map((id) => id[0] ?? '');
    const shared = firsts.find((digit, index) => firsts.indexOf(digit) !== index) ?? '';
    const { status, body } = await session.ask(`GET /containers/${shared}/json`);
    const expected = session.differs({
      fairlead: [400, `multiple IDs found with provided prefix: ${shared}`],
      dockerd: [500, `Multiple IDs found with provided prefix: ${shared}`],
    });
    assert.deepEqual([status, (JSON.parse(body) as { message: string }).message], expected);
  });

  for (const path of [
    '/containers/../../etc/passwd/json',
    '/containers/..%2F..%2Fetc%2Fpasswd/json',
    '/containers/%2e%2e/json',
    '/images/../../../etc/passwd/json',
  ]) {
    it(`${path} leads nowhere`, async () => {
      const { status } = await session.ask(`GET ${path}`);
      assert.ok([301, 404].includes(status), `answered ${status}`);
    });
  }
});
