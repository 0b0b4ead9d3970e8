import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../eventually.ts';
import { fairleadProgram } from '../private-fairlead.ts';
import { AgentWorld } from './agent-world.ts';

const POLICY = { maxGraceMs: 5_000, denyPrivileged: true, sessions: ['logs'], actors: ['alice'] };

describe('an agent in trouble', { skip: process.getuid?.() !== 0 }, () => {
  let world: AgentWorld;
  before(async () => {
    world = await AgentWorld.open(fairleadProgram);
    await world.client.containers.create({ Image: 'busybox', Cmd: ['sleep', '1000'] }, { name: 'web' });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', world.stateDir]);
    world.enrol();
    const policy = join(world.home.directory, 'policy.json');
    writeFileSync(policy, JSON.stringify(POLICY));
    await world.startLinkedAgent({ args: ['--policy', policy] });
  });
  after(async () => {
    await world.stopAgent('SIGKILL');
    execFileSync('umount', ['--lazy', world.stateDir]);
    await world[Symbol.asyncDispose]();
  });

  it('does nothing that the host’s policy denies, and names the rule', async () => {
    const { hub } = world;
    const privileged = { Image: 'busybox', HostConfig: { Privileged: true } };
    const cases = [
      { command: { verb: 'create', name: 'bad', body: privileged }, rule: 'denyPrivileged' },
      { command: { verb: 'stop', container: 'web', graceMs: 60_000 }, rule: 'maxGraceMs' },
      { command: { verb: 'stop', container: 'web' }, rule: 'maxGraceMs' },
    ] as const;
    for (const { command, rule } of cases) {
      const events = await hub.events(hub.send(command));
      const end = events.at(-1);
      assert.ok(end?.kind === 'done' && end.outcome.failure?.code === 'DENIED_BY_POLICY', JSON.stringify(end));
      assert.match(end.outcome.failure.message, new RegExp(rule));
      assert.ok(!events.some(({ kind }) => kind === 'started'));
    }
  });

  it('opens no session that the policy denies, and lets nobody join one whom it does', async () => {
    const asked = { tokenHash: 'a'.repeat(64), actor: { name: 'alice', role: 'exec' } } as const;
    const open = async (sessionId: string, kind: 'attach' | 'logs'): Promise<object> =>
      await world.hub.session({ ...asked, sessionId, ask: 'open', open: { kind, container: 'web' } });
    const join = async (name: string): Promise<object> => {
      const actor = { name, role: 'exec' } as const;
      return await world.hub.session({ ...asked, sessionId: 's_1', ask: 'join', channel: name, write: false, actor });
    };
    const denied = (message: string): object => ({ opened: false, code: 'DENIED_BY_POLICY', message });
    assert.deepEqual(await open('s_0', 'attach'), denied('a session of kind attach is not allowed here (sessions)'));
    assert.deepEqual(await open('s_1', 'logs'), { opened: true, kind: 'logs', tty: false });
    assert.deepEqual(await join('alice'), { opened: true, kind: 'logs', tty: false });
    assert.deepEqual(await join('bob'), denied('bob may do nothing here (actors)'));
  });

  it('refuses on a full disk and has started nothing; with room again it goes on', async () => {
    const { hub } = world;
    const filler = join(world.stateDir, 'filler');
    execFileSync('sh', ['-c', `cat /dev/zero > ${filler} || true`], { stdio: 'ignore' });
    const big = { verb: 'exec', container: 'web', argv: ['true'], stdin: 'x'.repeat(100_000) } as const;
    const { state, outcome } = await hub.end(hub.send(big));
    assert.deepEqual([state, outcome.failure?.code], ['FAILED', 'AGENT_STORAGE']);
    rmSync(filler);
    assert.equal((await hub.end(hub.send({ verb: 'start', container: 'web' }))).state, 'SUCCEEDED');
  });

  it('says that its engine is gone, with errno and path, and works again when it is back', async () => {
    const { hub } = world;
    await world.killEngine();
    const { state, outcome } = await hub.end(hub.send({ verb: 'stop', container: 'web', graceMs: 1_000 }));
    assert.deepEqual([state, outcome.failure?.code], ['FAILED', 'ENGINE_UNREACHABLE']);
    assert.equal(outcome.failure?.errno, 'ECONNREFUSED');
    assert.equal(outcome.failure?.address, world.home.host);
    await eventually(async () => hub.heartbeats.at(-1)?.engine.state, 'unreachable');
    await world.startEngine();
    await eventually(async () => hub.heartbeats.at(-1)?.engine.state, 'ok');
    assert.equal((await hub.end(hub.send({ verb: 'start', container: 'web' }))).outcome.changed, false);
  });

  it('tells the true end of a stop whose engine died in the middle', async () => {
    const { hub } = world;
    const id = hub.send({ verb: 'stop', container: 'web', graceMs: 2_000 });
    await hub.events(id, (events) => events.some((event) => event.kind === 'phase'));
    await world.killEngine();
    await hub.events(id, (events) => events.some(({ kind }) => kind === 'overdue'));
    await world.startEngine();
    const { state, outcome } = await hub.end(id);
    const { State } = await world.client.containers.inspect('web');
    assert.equal(state, State.Running ? 'FAILED' : 'SUCCEEDED', JSON.stringify({ outcome, State }));
  });

  it('watches an engine that does not keep its bound, and tells the true end', async () => {
    const { hub } = world;
    await world.client.containers.start('web');
    const id = hub.send({ verb: 'kill', container: 'web' });
    process.kill(world.enginePid, 'SIGSTOP');
    try {
      const events = await hub.events(id, (seen) => seen.some(({ kind }) => kind === 'overdue' || kind === 'done'));
      const last = events.at(-1);
      // Frozen before it was looked up: nothing was started. Frozen behind it: late, and watched.
      if (last?.kind === 'done') assert.equal(last.outcome.failure?.code, 'ENGINE_OVERDUE');
      else assert.ok(last?.kind === 'overdue');
    } finally {
      process.kill(world.enginePid, 'SIGCONT');
    }
    const { state } = await hub.end(id);
    const { State } = await world.client.containers.inspect('web');
    assert.equal(state === 'SUCCEEDED', !State.Running);
  });
});
