import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eventually } from '../eventually.ts';
import type { HttpQuestion } from '../raw-http.ts';
import { sessions, type Session } from '../sessions.ts';

/** How a container gets there. */
const STATES = {
  created: async (session: Session): Promise<string> => {
    const name = session.name();
    await session.docker.ok('create', '--name', name, 'busybox', 'sleep', '1000');
    return name;
  },
  running: async (session: Session): Promise<string> => await session.background(),
  paused: async (session: Session): Promise<string> => {
    const name = await session.background();
    await session.docker.ok('pause', name);
    return name;
  },
  exited: async (session: Session): Promise<string> => {
    const name = session.name();
    await session.docker.run(['run', '--name', name, 'busybox', 'sh', '-c', 'exit 4']);
    return name;
  },
} as const;

type State = keyof typeof STATES;
/** Status; with words when it is a refusal: `ID` and `REF` stand for the container's. The second words are of dockerd 20.10. */
type Expected = readonly [status: number, words?: string, old?: string];

const NOT_RUNNING: Expected = [409, 'container ID is not running', 'Container ID is not running'];
const NOT_KILLED: Expected = [
  409,
  'cannot kill container: REF: container ID is not running',
  'Cannot kill container: REF: Container ID is not running',
];
const NOT_PAUSED: Expected = [500, 'Container ID is not paused'];

const MATRIX: readonly (Readonly<Record<State, Expected>> & { readonly target: string; readonly json?: unknown })[] = [
  {
    target: 'POST /containers/REF/start',
    created: [204],
    running: [304],
    paused: [409, 'cannot start a paused container, try unpause instead'],
    exited: [204],
  },
  { target: 'POST /containers/REF/stop?t=0', created: [304], running: [204], paused: [204], exited: [304] },
  { target: 'POST /containers/REF/restart?t=0', created: [204], running: [204], paused: [204], exited: [204] },
  { target: 'POST /containers/REF/kill', created: NOT_KILLED, running: [204], paused: [204], exited: NOT_KILLED },
  {
    target: 'POST /containers/REF/kill?signal=USR2',
    created: NOT_KILLED,
    running: [204],
    paused: [204],
    exited: NOT_KILLED,
  },
  {
    target: 'POST /containers/REF/pause',
    created: NOT_RUNNING,
    running: [204],
    paused: [409, 'Container ID is already paused'],
    exited: NOT_RUNNING,
  },
  {
    target: 'POST /containers/REF/unpause',
    created: NOT_PAUSED,
    running: NOT_PAUSED,
    paused: [204],
    exited: NOT_PAUSED,
  },
  {
    target: 'POST /containers/REF/rename?name=REF-renamed',
    created: [204],
    running: [204],
    paused: [204],
    exited: [204],
  },
  {
    target: 'DELETE /containers/REF',
    created: [204],
    running: [
      409,
      'cannot remove container "REF": container is running: stop the container before removing or force remove',
      'You cannot remove a running container ID. Stop the container before attempting removal or force remove',
    ],
    paused: [
      409,
      'cannot remove container "REF": container is paused and must be unpaused first',
      'You cannot remove a paused container ID. Unpause and then stop the container before attempting removal or force remove',
    ],
    exited: [204],
  },
  { target: 'DELETE /containers/REF?force=1', created: [204], running: [204], paused: [204], exited: [204] },
  {
    target: 'POST /containers/REF/resize?h=10&w=20',
    created: NOT_RUNNING,
    running: [200],
    paused: [200],
    exited: NOT_RUNNING,
  },
  { target: 'GET /containers/REF/top', created: NOT_RUNNING, running: [200], paused: [200], exited: NOT_RUNNING },
  { target: 'GET /containers/REF/logs?stdout=1', created: [200], running: [200], paused: [200], exited: [200] },
  { target: 'GET /containers/REF/json', created: [200], running: [200], paused: [200], exited: [200] },
  {
    target: 'POST /containers/REF/exec',
    json: { Cmd: ['true'] },
    created: NOT_RUNNING,
    running: [201],
    paused: [409, 'Container REF is paused, unpause the container before exec'],
    exited: NOT_RUNNING,
  },
];

/** Each pause is twice as long as the one before: by then they are long enough to be asked in. */
const PAUSES_BEFORE = 3;
/** On a busy machine a pause may be over before everything was asked; the next one is longer. */
const TRIES = 5;

/** What it is at this moment, without the time that a client takes to start. */
async function stateOf(session: Session, name: string): Promise<string> {
  const { body } = await session.ask(`GET /containers/${name}/json`);
  const { State, RestartCount } = JSON.parse(body) as { State: { Status: string }; RestartCount: number };
  return `${State.Status} ${RestartCount}`;
}

async function restarting(session: Session): Promise<string> {
  const name = await session.background(['--network', 'none', '--restart', 'always'], ['sh', '-c', 'exit 4']);
  await pauseOf(session, name);
  return name;
}

async function pauseOf(session: Session, name: string): Promise<string> {
  let state = '';
  const isLong = async (): Promise<boolean> => {
    state = await stateOf(session, name);
    const [status, count] = state.split(' ');
    return status === 'restarting' && Number(count) >= PAUSES_BEFORE;
  };
  await eventually(isLong, true);
  return state;
}

/** Looks within one pause, from its first question to its last. */
async function betweenRuns<T>(session: Session, name: string, look: () => Promise<T>): Promise<T> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const before = await pauseOf(session, name);
    const seen = await look();
    if ((await stateOf(session, name)) === before) return seen;
  }
  return assert.fail(`no pause of ${name} was long enough`);
}

const RESTARTING_STILL = 'Container ID is restarting, wait until the container is running';

/** What leaves a container between two runs as it is. */
const BETWEEN_RUNS: readonly { readonly target: string; readonly json?: unknown; readonly expected: Expected }[] = [
  { target: 'POST /containers/REF/start', expected: [304] },
  { target: 'POST /containers/REF/pause', expected: [409, RESTARTING_STILL] },
  { target: 'POST /containers/REF/unpause', expected: NOT_PAUSED },
  { target: 'POST /containers/REF/update', json: { CpuShares: 99 }, expected: [200] },
  {
    target: 'DELETE /containers/REF',
    expected: [
      409,
      'cannot remove container "REF": container is restarting: stop the container before removing or force remove',
      'You cannot remove a restarting container ID. Stop the container before attempting removal or force remove',
    ],
  },
  { target: 'GET /containers/REF/top', expected: [409, RESTARTING_STILL] },
  { target: 'POST /containers/REF/exec', json: { Cmd: ['true'] }, expected: [409, RESTARTING_STILL] },
  { target: 'GET /containers/REF/stats?stream=0&one-shot=1', expected: [200] },
  { target: 'GET /containers/REF/logs?stdout=1', expected: [200] },
  { target: 'GET /containers/REF/changes', expected: [200] },
  { target: 'GET /containers/REF/archive?path=/etc/hostname', expected: [200] },
  { target: 'GET /containers/REF/json', expected: [200] },
];

/** What ends the restarts, and what is left. */
const ENDS_RESTARTS: readonly { readonly target: string; readonly left: string }[] = [
  { target: 'POST /containers/REF/stop', left: 'exited 4' },
  { target: 'POST /containers/REF/kill', left: 'exited 4' },
  { target: 'POST /containers/REF/kill?signal=USR2', left: 'exited 4' },
  { target: 'DELETE /containers/REF?force=1', left: '' },
];

/** What is answered whatever the state. */
const ALWAYS: readonly { readonly target: string; readonly json?: unknown; readonly words: string }[] = [
  { target: 'POST /containers/REF/update', json: { CpuShares: 99 }, words: '{"Warnings":null}\n' },
  { target: 'GET /containers/REF/changes', words: '' },
  { target: 'GET /containers/REF/export', words: '' },
  { target: 'GET /containers/REF/archive?path=/etc/hostname', words: '' },
  { target: 'GET /containers/REF/stats?stream=0&one-shot=1', words: '' },
  { target: 'POST /commit?container=REF', words: '' },
];

sessions('what is answered in which state', (session) => {
  for (const [state, make] of Object.entries(STATES) as [State, (session: Session) => Promise<string>][]) {
    it(`${state}: files, figures, limits and images can be asked for`, async () => {
      const name = await make(session);
      for (const { target, json, words } of ALWAYS) {
        const { status, body } = await session.ask(target.replace('REF', name), json === undefined ? {} : { json });
        assert.equal(status, target.startsWith('POST /commit') ? 201 : 200, `${target}: ${body}`);
        if (words !== '') assert.equal(body, words);
      }
    });
  }

  for (const state of ['running', 'paused'] as const) {
    it(`${state}: a wait waits`, async () => {
      const name = await STATES[state](session);
      const waited = session.ask(`POST /containers/${name}/wait`);
      const running = session.inspect(name, '{{.State.Running}}');
      assert.equal(await Promise.race([waited.then(() => 'told'), running]), 'true');
      await session.docker.ok('rm', '-f', name);
      assert.match((await waited).body, /"StatusCode":137/);
    });
  }

  it('restarting: what leaves it as it is', async () => {
    const name = await restarting(session);
    const id = await session.inspect(name, '{{.Id}}');
    const question = (json: unknown): HttpQuestion => (json === undefined ? {} : { json });
    const seen = await betweenRuns(session, name, () =>
      Promise.all(BETWEEN_RUNS.map(({ target, json }) => session.ask(target.replaceAll('REF', name), question(json)))),
    );
    for (const [index, { status, body }] of seen.entries()) {
      const { target, expected } = BETWEEN_RUNS[index] ?? assert.fail();
      const [code, words, old] = expected;
      assert.equal(status, code, `${target}: ${body}`);
      if (words === undefined) continue;
      const { message } = JSON.parse(body) as { message: string };
      const said = session.differs({ fairlead: words, dockerd: old ?? words });
      assert.equal(message, said.replaceAll('ID', id).replaceAll('REF', name));
    }
  });

  it('restarting: a wait waits, attach and resize are refused, a rename is not', async () => {
    const name = await restarting(session);
    const [attach, resize, told] = await betweenRuns(session, name, async () => {
      const waited = session.ask(`POST /containers/${name}/wait`);
      const attached = await session.ask(`POST /containers/${name}/attach?stream=1&stdout=1`);
      const resized = await session.ask(`POST /containers/${name}/resize?h=1&w=1`);
      const isTold = await Promise.race([waited.then(() => true), stateOf(session, name).then(() => false)]);
      return [attached, resized, isTold] as const;
    });
    assert.equal(told, false);
    assert.equal(attach.status, 409);
    assert.match(attach.body, /container \S+ is restarting, wait until the container is running/);
    // 20.10 looks for the process.
    assert.equal(resize.status, session.differs({ fairlead: 409, dockerd: 404 }));
    const rename = await session.ask(`POST /containers/${name}/rename?name=${name}-renamed`);
    assert.equal(rename.status, 204, rename.body);
  });

  for (const { target, left } of ENDS_RESTARTS) {
    it(`restarting: ${target} ends it at once`, async () => {
      const name = await restarting(session);
      assert.equal((await session.ask(target.replace('REF', name))).status, 204);
      const { stdout } = await session.docker.run([
        ...['inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', name],
      ]);
      assert.equal(stdout.trim(), left);
    });
  }

  it('restarting: a restart by hand begins anew', async () => {
    const name = await restarting(session);
    assert.equal((await session.ask(`POST /containers/${name}/restart`)).status, 204);
    const [, count] = (await stateOf(session, name)).split(' ');
    assert.ok(Number(count) < PAUSES_BEFORE);
  });

  for (const { target, json, ...expectations } of MATRIX) {
    for (const [state, make] of Object.entries(STATES) as [State, (session: Session) => Promise<string>][]) {
      const [status, words, old] = expectations[state];
      it(`${state}: ${target} → ${status}`, async () => {
        const name = await make(session);
        const id = await session.inspect(name, '{{.Id}}');
        const answer = await session.ask(target.replaceAll('REF', name), json === undefined ? {} : { json });
        assert.equal(answer.status, status, answer.body);
        if (words === undefined) return;
        const { message } = JSON.parse(answer.body) as { message: string };
        const expected = session.differs({ fairlead: words, dockerd: old ?? words });
        assert.equal(message, expected.replaceAll('ID', id).replaceAll('REF', name));
      });
    }
  }

  it('wait answers at once for what does not run, with the last code', async () => {
    const [created, exited] = await Promise.all([STATES.created(session), STATES.exited(session)]);
    const codeOf = async (name: string): Promise<number> =>
      (JSON.parse((await session.ask(`POST /containers/${name}/wait`)).body) as { StatusCode: number }).StatusCode;
    assert.deepEqual(await Promise.all([codeOf(created), codeOf(exited)]), [0, 4]);
  });

  it('wait for the next exit does not see the last one; the removal ends it', async () => {
    const name = await STATES.exited(session);
    const next = session.ask(`POST /containers/${name}/wait?condition=next-exit`);
    const removed = session.ask(`POST /containers/${name}/wait?condition=removed`);
    assert.equal(await Promise.race([next.then(() => 'told'), session.inspect(name, 'still there')]), 'still there');
    await session.docker.ok('rm', name);
    for (const answer of [await next, await removed]) assert.match(answer.body, /"StatusCode":4/);
  });

  it('a wait for the next exit is told that of the run to come, and 0 of what is removed before', async () => {
    const endsBy = async (name: string, verbs: readonly string[]): Promise<void> => {
      for (const verb of verbs) await session.docker.ok(verb, name);
    };
    for (const { make, verbs, code } of [
      { make: STATES.created, verbs: ['start', 'kill'], code: 137 },
      { make: STATES.exited, verbs: ['start'], code: 4 },
      { make: STATES.created, verbs: ['rm'], code: 0 },
    ]) {
      const name = await make(session);
      const next = session.ask(`POST /containers/${name}/wait?condition=next-exit`);
      assert.equal(await Promise.race([next.then(() => 'told'), session.inspect(name, 'still there')]), 'still there');
      await endsBy(name, verbs);
      assert.match((await next).body, new RegExp(`"StatusCode":${code}\\b`));
    }
  });

  it('a wait for the next exit outlives a start that fails, until the removal', async () => {
    const name = session.name();
    await session.docker.ok('create', '--name', name, 'busybox', 'nosuch');
    const next = session.ask(`POST /containers/${name}/wait?condition=next-exit`);
    assert.equal((await session.ask(`POST /containers/${name}/start`)).status, 400);
    assert.equal(await Promise.race([next.then(() => 'told'), session.inspect(name, 'still there')]), 'still there');
    await session.docker.ok('rm', name);
    assert.match((await next).body, /"StatusCode":127/);
  });

  it('a run that is followed by another has ended for whoever waits', async () => {
    const name = await session.background(['--restart', 'always'], ['sh', '-c', 'sleep 0.2; exit 3']);
    assert.match((await session.ask(`POST /containers/${name}/wait`)).body, /"StatusCode":3/);
  });
});
