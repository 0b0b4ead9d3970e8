import assert from 'node:assert/strict';
import { it } from 'node:test';
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

sessions('what is answered in which state', (session) => {
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
});
