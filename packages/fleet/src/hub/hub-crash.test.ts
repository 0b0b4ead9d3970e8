import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HostId } from '@fairlead/protocol/fleet';
import { createKey } from '../nats/fleet-key.ts';
import { askHub, type HubAnswer, HubPlace, runQueue, WireAgent } from './hub-place.fixture.ts';

const OPERATIONS = 120;
const CALLERS = 12;
const noop = { verb: 'noop' } as const;

describe('a hub that is killed under load', () => {
  it('loses nothing that it accepted: the same key gives the same operation, started once', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'fairlead-hub-'));
    await using undo = new AsyncDisposableStack();
    undo.defer(() => rm(directory, { recursive: true, force: true }));
    const socketPath = join(directory, 'hub.sock');
    const ask = (method: string, path: string, body?: unknown): Promise<HubAnswer> =>
      askHub({ socketPath, method, path }, body);
    let hub = await startProcess(directory, socketPath);
    undo.defer(() => void hub.child.kill('SIGKILL'));
    const agent = undo.use(await enrolAgent(ask, hub.natsUrls));
    const accepted = new Map<string, string>();
    const submit = async (key: string): Promise<string> => {
      for (;;) {
        const answer = await ask('POST', '/v1/operations', { host: 'web-1', command: noop, key, patienceMs: 0 }).catch(
          gone,
        );
        if (answer === undefined) await sleep(50);
        else return answer.body.operation.id;
      }
    };
    const keys = Array.from({ length: OPERATIONS }, (_, at) => `key-${at}`);
    const waiting = [...keys];
    const load = Promise.all(
      Array.from({ length: CALLERS }, async () => {
        for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) accepted.set(key, await submit(key));
      }),
    );
    while (accepted.size < OPERATIONS / 3) await sleep(5);
    hub.child.kill('SIGKILL');
    await once(hub.child, 'exit');
    hub = await startProcess(directory, socketPath);
    await load;
    for (const key of keys) assert.equal(await submit(key), accepted.get(key), key);
    for (const [key, id] of accepted) {
      const { body } = await ask('GET', `/v1/operations/${id}?waitMs=60000`);
      assert.ok(body.endedAt !== null, `${key} has no end: ${JSON.stringify(body)}`);
      // Either it was done, or it was told that nothing was started: never both, and never twice.
      const times = agent.started.filter((started) => started === id).length;
      assert.equal(times, body.state === 'SUCCEEDED' ? 1 : 0, `${key}: ${JSON.stringify(body.outcome)}`);
    }
    const { body: audit } = await ask('GET', '/v1/audit/check');
    assert.equal(audit.whole, true);
  });

  it('goes on when its nats-server is killed under load', async () => {
    await using place = await HubPlace.open();
    const agent = await place.agent('web-1');
    const children = await childrenNamed('nats-server');
    const mode = (at: number): object => (at % 2 === 0 ? {} : { mode: 'queue' });
    const asked = Array.from({ length: 40 }, (_, at) => at);
    const answers = Promise.all(
      asked.map(async (at) => {
        await sleep(at * 5);
        const body = { host: 'web-1', command: noop, key: `k${at}`, patienceMs: 0, ...mode(at) };
        return (await place.ask('POST', '/v1/operations', { body })).body.operation;
      }),
    );
    await sleep(60);
    for (const pid of children) process.kill(pid, 'SIGKILL');
    const stored = await answers;
    await runQueue(place, agent);
    for (const { id, mode } of stored) {
      const { body } = await place.ask('GET', `/v1/operations/${id}?waitMs=60000`);
      assert.ok(body.endedAt !== null, JSON.stringify(body));
      if (mode === 'queue') assert.equal(body.state, 'SUCCEEDED', JSON.stringify(body));
    }
  });
});

async function enrolAgent(
  ask: (method: string, path: string, body?: unknown) => Promise<HubAnswer>,
  servers: readonly string[],
): Promise<WireAgent> {
  const key = createKey();
  const { token } = (await ask('POST', '/v1/enrolment-tokens', { name: 'web-1' })).body;
  const host: HostId = (await ask('POST', '/v1/enrol', { token, publicKey: key.publicKey })).body.host;
  return await WireAgent.connect({ servers, host, key });
}

async function startProcess(
  directory: string,
  socket: string,
): Promise<{ readonly child: ChildProcess; readonly natsUrls: readonly string[] }> {
  const script = `
    import { startHub } from ${JSON.stringify(join(import.meta.dirname, 'hub.ts'))};
    const log = { event() {}, warning() {}, failure(name, error) { console.error(name, error); } };
    const options = { directory: ${JSON.stringify(join(directory, 'state'))}, socket: ${JSON.stringify(socket)}, log };
    const hub = await startHub(options, AbortSignal.timeout(60000));
    console.log(JSON.stringify(hub.natsUrls));`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [printed] = await once(child.stdout, 'data');
  const natsUrls: readonly string[] = JSON.parse(String(printed));
  return { child, natsUrls };
}

async function childrenNamed(name: string): Promise<readonly number[]> {
  const list = spawn('pgrep', ['-P', String(process.pid), name], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  for await (const chunk of list.stdout) text += String(chunk);
  return text.split('\n').flatMap((line) => (line === '' ? [] : Number(line)));
}

/** The hub is away: asked again. */
function gone(error: unknown): undefined {
  if (!(error instanceof Error && 'code' in error)) throw error;
}
