import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Client, connect } from '@fairlead/client';
import { FleetClient, HubUnreachableError, type PendingFleetOperation } from '@fairlead/client/fleet';
import type { FleetCommand, FleetOperation } from '@fairlead/protocol/fleet';
import { FaultProxy } from '@fairlead/testkit';
import { EngineUnderTest } from '../engines.ts';
import { FleetProcesses } from './fleet-processes.ts';

const IGNORES_TERM = ['sh', '-c', 'trap "" TERM; while :; do sleep 0.1; done'];
const KILLED = ['SUCCEEDED', 'killed', 137];

/**
 * What fails, what the caller is told, and what is true: the rows of docs/fleet.md that no other test shows, with a hub, agents and
 * engines that are processes.
 */
describe('a fleet in which', { skip: process.getuid?.() !== 0 }, () => {
  const stack = new AsyncDisposableStack();
  let processes: FleetProcesses;
  let fleet: FleetClient;
  /** Between the agent of `web` and the hub. */
  let link: FaultProxy;
  let web: Host;
  let slow: Host;

  before(async () => {
    const engines = await Promise.all([EngineUnderTest.start('fairlead'), EngineUnderTest.start('fairlead')]);
    for (const engine of engines) stack.use(engine);
    processes = stack.use(await FleetProcesses.open());
    fleet = processes.fleet;
    link = stack.use(await FaultProxy.open({ host: '127.0.0.1', port: Number(processes.url.port) }));
    const [first, second] = engines;
    await processes.addHost('web', { engine: first.host, hub: `http://127.0.0.1:${link.port}` });
    await processes.addHost('slow', { engine: second.host });
    web = { engine: first, client: stack.use(await connect({ host: first.host, env: {} })) };
    slow = { engine: second, client: stack.use(await connect({ host: second.host, env: {} })) };
  });
  after(() => stack.disposeAsync());

  /** Asks, and listens no longer than until it is stored. */
  async function ask(host: string, command: FleetCommand, key?: string): Promise<PendingFleetOperation> {
    return await fleet.submit({ host, command, key, patienceMs: 0 });
  }
  async function running(operation: PendingFleetOperation): Promise<void> {
    const isRunning = async (): Promise<boolean> => (await now(operation)).phase !== null;
    await processes.until('it runs', isRunning);
  }
  async function now(operation: PendingFleetOperation): Promise<FleetOperation> {
    return (await fleet.operation(operation.id)).latest;
  }
  async function exited(name: string): Promise<void> {
    await processes.until(`${name} has exited`, async () => !(await isRunning(web, name)));
  }

  it('a caller dies, or its link is cut: it runs on, and the same key attaches again', async () => {
    await stubborn(web, 'caller');
    const words = ['fleet', 'run', '--on', 'all', '--key', 'weekly', '--', 'stop', '-t', '2', 'caller'];
    {
      await using caller = processes.cli.start(words);
      await processes.until('it runs', async () => (await stopsOf(web, 'caller')) === 1);
      caller.signal('SIGKILL');
    }
    const again = await processes.run(...words);
    assert.match(again.stdout, /^web .*SUCCEEDED {2}killed, exit 137/m, again.stderr);

    await using proxy = await FaultProxy.open({ host: '127.0.0.1', port: Number(processes.url.port) });
    const { token } = await fleet.createUser({ name: 'far', role: 'operate' });
    await using far = await FleetClient.open({ hub: `http://127.0.0.1:${proxy.port}`, token });
    await web.client.containers.start('caller');
    const command = { verb: 'stop', container: 'caller', graceMs: 2_000 } as const;
    const submitting = far.submit({ host: 'web', command, key: 'cut', patienceMs: 30_000 });
    await processes.until('it is stored', async () => (await fleet.operationByKey('cut')) !== undefined);
    proxy.cut();
    const operation = await submitting;
    assert.deepEqual(evidence(await operation.wait()), KILLED);
    assert.equal(operation.id, (await fleet.operationByKey('cut'))?.id);
    assert.equal(await stopsOf(web, 'caller'), 2);
  });

  it('the hub dies after accepting: a connection error, and the same key gives the same operation', async () => {
    await stubborn(web, 'hub');
    const command = { verb: 'stop', container: 'hub', graceMs: 2_000 } as const;
    const operation = await ask('web', command, 'accepted');
    await running(operation);
    await processes.killHub();
    await assert.rejects(ask('web', command, 'accepted'), HubUnreachableError);
    await exited('hub');
    await processes.startHub();
    assert.equal((await ask('web', command, 'accepted')).id, operation.id);
    assert.deepEqual(evidence(await operation.wait()), KILLED);
    assert.equal(await stopsOf(web, 'hub'), 1);
    const other = fleet.submit({ host: 'web', command: { ...command, graceMs: 1 }, key: 'accepted' });
    await assert.rejects(other, { code: 'KEY_CONFLICT' });
    await processes.online('web');
    await processes.online('slow');
  });

  it('the link of an agent is cut while it works: PENDING, and the end comes when the link does', async () => {
    await stubborn(web, 'cut');
    const operation = await ask('web', { verb: 'stop', container: 'cut', graceMs: 2_000 });
    await running(operation);
    const refusing = link.refuse();
    link.cut();
    await exited('cut');
    assert.equal((await now(operation)).state, 'RUNNING');
    refusing[Symbol.dispose]();
    assert.deepEqual(evidence(await operation.wait()), KILLED);
    await processes.online('web');
  });

  it('an agent dies before STARTED: PENDING, nothing was started, and it is delivered again', async () => {
    await stubborn(web, 'agent');
    await processes.killAgent('web');
    await processes.startAgent('web', { FAIRLEAD_AGENT_CRASH: 'before:STARTED' });
    const operation = await ask('web', { verb: 'stop', container: 'agent', graceMs: 1_000 });
    await processes.agentEnded('web');
    assert.equal((await now(operation)).outcome, null);
    assert.deepEqual([await isRunning(web, 'agent'), await stopsOf(web, 'agent')], [true, 0]);
    await processes.startAgent('web');
    assert.deepEqual(evidence(await operation.wait()), KILLED);
    assert.equal(await stopsOf(web, 'agent'), 1);
  });

  describe('and, while time passes,', { concurrency: 2 }, () => {
    it('the link is half open: PENDING, agentSilent after 15 s, and the end comes when the link does', async () => {
      await stubborn(web, 'silent');
      const operation = await ask('web', { verb: 'stop', container: 'silent', graceMs: 2_000 });
      await running(operation);
      const swallowing = link.swallow('to-server', 'to-client');
      await processes.until('the agent is silent', async () => (await now(operation)).agentSilent);
      assert.equal((await now(operation)).state, 'RUNNING');
      assert.equal(await isRunning(web, 'silent'), false);
      swallowing[Symbol.dispose]();
      assert.deepEqual(evidence(await operation.wait()), KILLED);
      assert.equal((await now(operation)).agentSilent, false);
    });

    it('an engine is slower than its bound: overdue with ENGINE_OVERDUE, watched, and the end is told', async () => {
      await stubborn(slow, 'late');
      const operation = await ask('slow', { verb: 'stop', container: 'late', graceMs: 500 });
      await running(operation);
      process.kill(slow.engine.pid, 'SIGSTOP');
      try {
        const overdue = async (): Promise<boolean> =>
          (await fleet.history(operation.id)).some(({ failure }) => failure?.code === 'ENGINE_OVERDUE');
        await processes.until('it is overdue', overdue);
        const { overdue: isOverdue, outcome } = await now(operation);
        assert.deepEqual([isOverdue, outcome], [true, null]);
      } finally {
        process.kill(slow.engine.pid, 'SIGCONT');
      }
      const { state, outcome } = await operation.wait();
      assert.deepEqual([state, outcome?.exitCode], ['SUCCEEDED', 137], JSON.stringify(outcome));
    });
  });

  it('an engine’s socket is refused: ENGINE_UNREACHABLE with errno and path, and nothing was started', async () => {
    await stubborn(slow, 'refused');
    await slow.engine.kill();
    const refused = await (await ask('slow', { verb: 'stop', container: 'refused', graceMs: 500 })).wait();
    const { code, errno, address } = refused.outcome?.failure ?? {};
    assert.deepEqual(
      [refused.state, code, errno, address],
      ['FAILED', 'ENGINE_UNREACHABLE', 'ECONNREFUSED', slow.engine.host],
    );
    await slow.engine.restart();
    assert.deepEqual([await isRunning(slow, 'refused'), await stopsOf(slow, 'refused')], [true, 0]);
  });

  it('an engine answers 304, 404 or 409: it is final, in the engine’s words', async () => {
    const answers = [
      { command: { verb: 'stop', container: 'cut' }, is: ['SUCCEEDED', false, undefined] },
      { command: { verb: 'stop', container: 'nosuch' }, is: ['FAILED', undefined, 'NOT_FOUND'] },
      { command: { verb: 'rename', container: 'cut', name: 'hub' }, is: ['FAILED', undefined, 'CONFLICT'] },
    ] as const;
    for (const { command, is } of answers) {
      const { state, outcome } = await (await ask('web', command)).wait();
      assert.deepEqual([state, outcome?.changed, outcome?.failure?.code], is, JSON.stringify(outcome));
      if (outcome?.failure !== undefined) assert.match(outcome.failure.message, /No such container: nosuch|in use/);
    }
  });

  it('an agent dies under a session: its recording ends there, and every line of it is whole', async () => {
    await web.client.containers.create({ Image: 'busybox', Cmd: ['sleep', '1000'] }, { name: 'talker' });
    await web.client.containers.start('talker');
    const argv = ['sh', '-c', 'while :; do echo "$$ and again and again"; done'];
    const open = { kind: 'exec', container: 'talker', argv, record: 'output' } as const;
    const { sessionId } = await fleet.openSession('web', open);
    const bytes = async (): Promise<number> =>
      (await fleet.recordings('web')).find((one) => one.sessionId === sessionId)?.bytes ?? 0;
    await processes.until('there is something', async () => (await bytes()) > 100_000);
    await processes.killAgent('web');
    await processes.startAgent('web');
    const [recording] = await fleet.recordings('web');
    assert.deepEqual([recording?.sessionId, recording?.isOpen], [sessionId, false]);
    let text = '';
    for await (const piece of fleet.recording('web', sessionId)) text += Buffer.from(piece).toString();
    assert.equal(text.length, recording?.bytes);
    const [head, ...events] = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as readonly unknown[]);
    assert.deepEqual(Object.keys(head ?? {}), ['version', 'width', 'height', 'timestamp', 'title', 'command']);
    assert.ok(events.length > 3 && events.every(([, kind]) => kind === 'o'));
    await web.client.containers.remove('talker', { force: true });
  });
});

interface Host {
  readonly engine: EngineUnderTest;
  readonly client: Client;
}

async function stubborn({ client }: Host, name: string): Promise<void> {
  const body = { Image: 'busybox', Cmd: IGNORES_TERM, HostConfig: { NetworkMode: 'none' } };
  await client.containers.create(body, { name });
  await client.containers.start(name);
}

async function isRunning({ client }: Host, name: string): Promise<boolean> {
  return (await client.containers.inspect(name)).State.Running;
}

/** How often the engine was asked to stop it, by the engine's own ledger. */
async function stopsOf({ client }: Host, name: string): Promise<number> {
  const { Id } = await client.containers.inspect(name);
  const operations = await client.operations.list();
  return operations.filter(({ Verb, Target }) => Verb === 'stop' && Target.Id === Id).length;
}

function evidence({ state, outcome }: FleetOperation): readonly unknown[] {
  return [state, outcome?.stop, outcome?.exitCode];
}
