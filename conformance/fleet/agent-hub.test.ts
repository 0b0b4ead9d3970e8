import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Client, connect } from '@fairlead/client';
import type { PendingFleetOperation } from '@fairlead/client/fleet';
import type { FleetCommand, FleetOperation, SubmitOperation } from '@fairlead/protocol/fleet';
import { EngineUnderTest } from '../engines.ts';
import { eventually } from '../eventually.ts';
import { FleetProcesses } from './fleet-processes.ts';

/** The whole way: a caller, the hub's HTTP API, its nats-server behind its own port, an agent, an engine. */
describe('fairlead agent at a hub', { skip: process.getuid?.() !== 0 }, () => {
  const stack = new AsyncDisposableStack();
  let engine: EngineUnderTest;
  let processes: FleetProcesses;
  let client: Client;
  let token: string;
  before(async () => {
    engine = stack.use(await EngineUnderTest.start('fairlead'));
    client = stack.use(await connect({ host: engine.host, env: {} }));
    processes = stack.use(await FleetProcesses.open());
  });
  after(() => stack[Symbol.asyncDispose]());

  /** What an agent says that does not start. */
  async function refused(name: string, more: readonly string[]): Promise<string> {
    const stateDir = join(processes.directory, `agent-${name}`);
    const { exitCode, stderr } = await processes.run(
      'agent',
      '--state-dir',
      stateDir,
      '--engine',
      engine.host,
      ...more,
    );
    assert.notEqual(exitCode, 0);
    return stderr;
  }
  const submit = async (command: FleetCommand, more: Partial<SubmitOperation> = {}): Promise<PendingFleetOperation> =>
    await processes.fleet.submit({ host: 'alpha', command, patienceMs: 60_000, ...more });
  const run = async (command: FleetCommand): Promise<FleetOperation> => (await submit(command)).latest;
  const shown = async ({ id }: PendingFleetOperation): Promise<FleetOperation> =>
    (await processes.fleet.operation(id)).latest;

  it('enrols with a token, through the hub’s own port, and does what it is asked', async () => {
    token = await processes.addHost('alpha', { engine: engine.host });
    const body = { Image: 'busybox', Cmd: ['sleep', '1000'] };
    const made = await run({ verb: 'create', name: 'web', body, start: true });
    assert.equal(made.state, 'SUCCEEDED', JSON.stringify(made));
    const stopped = await run({ verb: 'stop', container: 'web', graceMs: 500 });
    assert.deepEqual([stopped.state, stopped.outcome?.stop, stopped.graceMs], ['SUCCEEDED', 'killed', 500]);
  });

  it('is the same host when it comes again, without a token', async () => {
    await processes.killAgent('alpha', 'SIGTERM');
    await processes.startAgent('alpha');
    assert.equal((await run({ verb: 'start', container: 'web' })).state, 'SUCCEEDED');
    assert.equal((await processes.fleet.hosts()).length, 1);
  });

  it('says what is wrong with a token that was used, or none', async () => {
    const hub = ['--hub', processes.url.href];
    const used = await refused('other', [...hub, '--token', token]);
    assert.match(used, /the hub at .* refused: the enrolment token is not known/);
    const none = await refused('other', hub);
    assert.match(none, /this host is not enrolled .* --token/);
    const twice = await refused('alpha', []);
    assert.match(twice, /another agent runs with/);
  });

  it('tells the true end of a stop in whose grace it was killed', async () => {
    const stop = await submit({ verb: 'stop', container: 'web', graceMs: 4_000 }, { patienceMs: 0 });
    await eventually(async () => (await shown(stop)).phase !== null, true);
    await processes.killAgent('alpha');
    await processes.startAgent('alpha');
    await eventually(async () => (await shown(stop)).state, 'SUCCEEDED');
    assert.equal((await shown(stop)).outcome?.exitCode, 137);
  });

  it('fetches what was queued while it was away', async () => {
    await processes.killAgent('alpha', 'SIGTERM');
    const live = await run({ verb: 'start', container: 'web' });
    assert.equal(live.outcome?.failure?.code, 'HOST_OFFLINE');
    const queued = await submit({ verb: 'start', container: 'web' }, { mode: 'queue', patienceMs: 0 });
    await processes.startAgent('alpha');
    await eventually(async () => (await shown(queued)).state, 'SUCCEEDED');
    assert.equal((await client.containers.inspect('web')).State.Running, true);
  });

  it('cancels a program through the hub', async () => {
    const program = await submit({ verb: 'exec', container: 'web', argv: ['sleep', '1000'] }, { patienceMs: 0 });
    await eventually(async () => (await shown(program)).phase, 'work');
    await eventually(async () => (await program.cancel()).result, 'CANCEL_DELIVERED');
    await eventually(async () => (await shown(program)).outcome?.exitCode, 137);
  });
});
