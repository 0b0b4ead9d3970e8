import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Client, connect } from '@fairlead/client';
import { HubPlace } from '@fairlead/fleet/testing';
import type { FleetCommand, FleetOperation, SubmitOperation } from '@fairlead/protocol/fleet';
import { busyboxImage, dockerArchive } from '@fairlead/testkit';
import { EngineProcess } from '../engine-process.ts';
import { eventually } from '../eventually.ts';
import { fairleadProgram } from '../private-fairlead.ts';
import { makeHome, type PrivateHome, removeHome } from '../private-home.ts';

const PROGRAM = join(import.meta.dirname, '../../packages/cli/src/main.ts');

/** The whole way: a caller, the hub's HTTP API, its nats-server behind its own port, an agent, an engine. */
describe('fairlead agent at a hub', { skip: process.getuid?.() !== 0 }, () => {
  const stack = new AsyncDisposableStack();
  let home: PrivateHome;
  let place: HubPlace;
  let client: Client;
  let token: string;
  let agent: ChildProcess | undefined;
  before(async () => {
    home = await makeHome();
    stack.defer(() => removeHome(home));
    stack.use(await EngineProcess.start(fairleadProgram(home)));
    client = stack.use(await connect({ host: home.host, env: {} }));
    stack.defer(async () => {
      for (const { Id } of await client.containers.list({ all: true }))
        await client.containers.remove(Id, { force: true });
    });
    const image = await dockerArchive([await busyboxImage()]);
    for await (const _ of client.images.load(
      (async function* () {
        yield image;
      })(),
    ))
      continue;
    place = stack.use(await HubPlace.open());
    const made = await place.ask('POST', '/v1/enrolment-tokens', { body: { name: 'alpha' } });
    token = made.body.token;
  });
  after(async () => {
    await leave('SIGKILL');
    await stack[Symbol.asyncDispose]();
  });

  const argsOf = (directory: string, more: readonly string[]): readonly string[] => [
    ...[PROGRAM, 'agent', '--state-dir', join(home.directory, directory), '--engine', home.host],
    ...more,
  ];
  function start(more: readonly string[] = []): void {
    const log = openSync(join(home.directory, 'agent.log'), 'a');
    agent = spawn(process.execPath, argsOf('agent', more), { stdio: ['ignore', log, log] });
    closeSync(log);
  }
  async function leave(signal: NodeJS.Signals): Promise<void> {
    if (agent === undefined || agent.exitCode !== null || agent.signalCode !== null) return;
    agent.kill(signal);
    await once(agent, 'exit');
  }
  /** What an agent says that does not start. */
  async function refused(args: readonly string[]): Promise<string> {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    for await (const bytes of child.stderr) said += String(bytes);
    if (child.exitCode === null) await once(child, 'exit');
    assert.notEqual(child.exitCode, 0);
    return said;
  }
  const isOnline = async (): Promise<boolean> => {
    const { body } = await place.ask('GET', '/v1/hosts/alpha');
    return body.state === 'online';
  };
  const run = async (command: FleetCommand, more: Partial<SubmitOperation> = {}): Promise<FleetOperation> => {
    const asked: SubmitOperation = { host: 'alpha', command, patienceMs: 60_000, ...more };
    const { body } = await place.ask('POST', '/v1/operations', { body: asked });
    return body.operation ?? body;
  };
  const shown = async (id: string): Promise<FleetOperation> => (await place.ask('GET', `/v1/operations/${id}`)).body;

  it('enrols with a token, through the hub’s own port, and does what it is asked', async () => {
    start(['--hub', place.hub.url ?? '', '--token', token]);
    await eventually(isOnline, true).catch((error) => {
      throw new Error(readFileSync(join(home.directory, 'agent.log'), 'utf8'), { cause: error });
    });
    const body = { Image: 'busybox', Cmd: ['sleep', '1000'] };
    const made = await run({ verb: 'create', name: 'web', body, start: true });
    assert.equal(made.state, 'SUCCEEDED', JSON.stringify(made));
    const stopped = await run({ verb: 'stop', container: 'web', graceMs: 500 });
    assert.deepEqual([stopped.state, stopped.outcome?.stop, stopped.graceMs], ['SUCCEEDED', 'killed', 500]);
  });

  it('is the same host when it comes again, without a token', async () => {
    await leave('SIGTERM');
    start();
    await eventually(isOnline, true);
    assert.equal((await run({ verb: 'start', container: 'web' })).state, 'SUCCEEDED');
    const { body } = await place.ask('GET', '/v1/hosts');
    assert.equal((body.hosts ?? body).length, 1);
  });

  it('says what is wrong with a token that was used, or none', async () => {
    const hub = ['--hub', place.hub.url ?? ''];
    const used = await refused(argsOf('other', [...hub, '--token', token]));
    assert.match(used, /the hub at .* refused: the enrolment token is not known/);
    const none = await refused(argsOf('other', hub));
    assert.match(none, /this host is not enrolled .* --token/);
    const twice = await refused(argsOf('agent', []));
    assert.match(twice, /another agent runs with/);
  });

  it('tells the true end of a stop in whose grace it was killed', async () => {
    const { id } = await run({ verb: 'stop', container: 'web', graceMs: 4_000 }, { patienceMs: 0 });
    await eventually(async () => (await shown(id)).phase !== null, true);
    await leave('SIGKILL');
    start();
    await eventually(async () => (await shown(id)).state, 'SUCCEEDED');
    assert.equal((await shown(id)).outcome?.exitCode, 137);
  });

  it('fetches what was queued while it was away', async () => {
    await leave('SIGTERM');
    await eventually(isOnline, false);
    const live = await run({ verb: 'start', container: 'web' });
    assert.equal(live.outcome?.failure?.code, 'HOST_OFFLINE');
    const queued = await run({ verb: 'start', container: 'web' }, { mode: 'queue', patienceMs: 0 });
    start();
    await eventually(async () => (await shown(queued.id)).state, 'SUCCEEDED');
    assert.equal((await client.containers.inspect('web')).State.Running, true);
  });

  it('cancels a program through the hub', async () => {
    const { id } = await run({ verb: 'exec', container: 'web', argv: ['sleep', '1000'] }, { patienceMs: 0 });
    await eventually(async () => (await shown(id)).phase, 'work');
    const cancel = async (): Promise<string> => (await place.ask('POST', `/v1/operations/${id}/cancel`)).body.result;
    await eventually(cancel, 'CANCEL_DELIVERED');
    await eventually(async () => (await shown(id)).outcome?.exitCode, 137);
  });
});
