import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../eventually.ts';
import { FAIRLEAD_ALONE, sessions, type Session } from '../sessions.ts';

const STATE = '{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}}';

function state(session: Session, name: string): () => Promise<string> {
  return async () => await session.inspect(name, STATE);
}

/** Ends on USR1, from within: the engine has no part in it. */
const CRASHES = ['sh', '-c', 'trap "exit 5" USR1; while :; do sleep 0.05; done'] as const;

/** The exec that does it dies with the container, or just not. */
async function crash(session: Session, name: string): Promise<void> {
  await session.docker.run(['exec', name, 'kill', '-USR1', '1']);
}

function policy(name: string): readonly string[] {
  return ['--restart', name];
}

sessions('a restart policy', (session) => {
  it('on-failure:2 is three runs', async () => {
    const name = await session.background(policy('on-failure:2'), ['sh', '-c', 'echo run; exit 3']);
    await eventually(state(session, name), 'exited 3 2');
    assert.equal(await session.docker.ok('logs', name), 'run\nrun\nrun');
    await session.docker.ok('start', name);
    await eventually(state(session, name), 'exited 3 2');
    assert.equal((await session.docker.ok('logs', name)).split('\n').length, 6);
  });

  it('on-failure leaves what succeeds', async () => {
    const name = await session.background(policy('on-failure'), ['true']);
    await eventually(state(session, name), 'exited 0 0');
  });

  for (const always of ['always', 'unless-stopped']) {
    it(`${always} runs again whatever the code, ever later`, async () => {
      const name = await session.background(policy(always), ['sh', '-c', 'exit 0']);
      await eventually(async () => Number(await session.inspect(name, '{{.RestartCount}}')) >= 3, true);
      await session.docker.ok('stop', name);
      const [status] = (await state(session, name)()).split(' ');
      assert.equal(status, 'exited');
      await sleep(500);
      assert.equal((await state(session, name)()).split(' ')[0], 'exited');
    });
  }

  for (const [verb, ...args] of [['stop', '-t', '0'], ['kill']]) {
    it(`is out of force after docker ${verb}, and in force again after a start`, async () => {
      const name = await session.background(policy('always'), CRASHES);
      await session.docker.ok(verb ?? '', ...args, name);
      await sleep(300);
      assert.equal(await state(session, name)(), 'exited 137 0');
      await session.docker.ok('start', name);
      await crash(session, name);
      await eventually(state(session, name), 'running 0 1');
    });
  }

  it('is in force when the process is killed from the host', async () => {
    const name = await session.background(policy('always'));
    process.kill(Number(await session.inspect(name, '{{.State.Pid}}')), 'SIGKILL');
    await eventually(state(session, name), 'running 0 1');
  });

  it('is out of force after any signal to a container without a stop signal of its own', async () => {
    const name = await session.background(policy('always'), ['sh', '-c', 'trap : USR2; sleep 1; exit 5']);
    await session.docker.ok('kill', '-s', 'USR2', name);
    await eventually(state(session, name), 'exited 5 0');
    await sleep(300);
    assert.equal(await state(session, name)(), 'exited 5 0');
  });

  for (const { name: always, restarts } of [
    { name: 'always', restarts: true },
    { name: 'unless-stopped', restarts: false },
  ]) {
    it(`${always} ${restarts ? 'stays in' : 'is out of'} force after a signal that is not the stop signal`, async () => {
      const options = [...policy(always), '--stop-signal', 'INT'];
      const name = await session.background(options, ['sh', '-c', 'trap "exit 6" USR2; while :; do sleep 0.05; done']);
      await session.docker.ok('exec', name, 'true');
      await session.docker.ok('kill', '-s', 'USR2', name);
      await eventually(state(session, name), restarts ? 'running 0 1' : 'exited 6 0');
    });
  }

  it('counts anew after docker restart', async () => {
    const name = await session.background(policy('always'), CRASHES);
    await crash(session, name);
    await eventually(state(session, name), 'running 0 1');
    await session.docker.ok('restart', '-t', '0', name);
    assert.equal(await state(session, name)(), 'running 0 0');
    await crash(session, name);
    await eventually(state(session, name), 'running 0 1');
  });

  it('can be changed while the container runs', async () => {
    const name = await session.background([], CRASHES);
    await session.docker.ok('update', '--restart', 'on-failure:1', name);
    await crash(session, name);
    await eventually(state(session, name), 'running 0 1');
    await crash(session, name);
    await eventually(state(session, name), 'exited 5 1');
  });
});

sessions(
  'a restart policy when the engine starts',
  (session) => {
    it('wants what was not stopped, and always what is always', async () => {
      const policies = ['no', 'always', 'unless-stopped', 'on-failure'];
      const running = await Promise.all(policies.map((name) => session.background(policy(name))));
      const stopped = await Promise.all(policies.map((name) => session.background(policy(name))));
      await session.docker.ok('stop', '-t', '0', ...stopped);
      const crashing = await session.background(policy('on-failure:1'), ['sh', '-c', 'echo run; exit 3']);
      await eventually(state(session, crashing), 'exited 3 1');
      const created = session.name();
      await session.docker.ok('create', '--name', created, ...policy('always'), 'busybox', 'sleep', '1000');
      const pids = await Promise.all(running.map((name) => session.inspect(name, '{{.State.Pid}}')));

      await session.engine.restart();
      const now = async (names: readonly string[]): Promise<string> =>
        (await Promise.all(names.map((name) => session.inspect(name, '{{.State.Status}}')))).join(' ');
      await eventually(() => now(stopped), 'exited running exited running');
      assert.equal(await now(running), 'running running running running');
      assert.deepEqual(await Promise.all(running.map((name) => session.inspect(name, '{{.State.Pid}}'))), pids);
      assert.equal(await now([created]), 'created');
      // Two runs before, and two more: the count begins anew.
      await eventually(async () => await session.docker.ok('logs', crashing), 'run\nrun\nrun\nrun');
      await eventually(state(session, crashing), 'exited 3 1');
    });
  },
  { kinds: FAIRLEAD_ALONE, atOnce: 1 },
);
