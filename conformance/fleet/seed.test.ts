import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, connect, PendingError, type OperationResult } from '@fairlead/client';
import { FleetClient } from '@fairlead/client/fleet';
import type { FleetOperation } from '@fairlead/protocol/fleet';
import { FleetWorld } from './fleet-world.ts';

/** How long the container may take, and how long its caller listens: the same, so the caller cannot hear the end. */
const GRACE_MS = 4_000;
const IGNORES_TERM = ['sh', '-c', 'trap "" TERM; while :; do sleep 0.1; done'];

/** Why there is a fleet: whoever asks for a stop that takes as long as he listens is told the truth, and gets the end. */
for (const kind of ['fairlead', 'dockerd'] as const)
  describe(`a stop through the fleet whose grace is its caller’s patience, with ${kind}`, { concurrency: 3 }, () => {
    let world: FleetWorld;
    let engine: Client;

    before(async () => {
      world = await FleetWorld.open({ kind });
      engine = await connect({ host: world.engine.host, env: {} });
      await running('operation');
    });
    after(async () => {
      await engine[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
    });

    const running = async (name: string): Promise<void> => {
      const body = { Image: 'busybox', Cmd: IGNORES_TERM, HostConfig: { NetworkMode: 'none' } };
      await engine.containers.create(body, { name });
      await engine.containers.start(name);
    };

    it('is PENDING with its phase and what is left, then SUCCEEDED for everybody who attaches', async () => {
      await using fleet = await FleetClient.open({ hub: world.socket });
      const command = { verb: 'stop', container: 'operation', graceMs: GRACE_MS } as const;
      const asked = { host: 'web', command, key: `seed-${kind}`, patienceMs: GRACE_MS };
      const answer = await Promise.race([fleet.submit(asked), sleep(GRACE_MS, 'patience is over')]);
      assert.ok(typeof answer !== 'string', 'the answer comes before the patience ends');
      const { phase, state, graceMs, boundRemainingMs, outcome } = answer.latest;
      assert.deepEqual([state, graceMs, outcome], ['RUNNING', GRACE_MS, null]);
      assert.ok(['signal', 'grace'].includes(phase ?? ''), String(phase));
      assert.ok(boundRemainingMs !== null && boundRemainingMs > 0, String(boundRemainingMs));
      assert.equal((await engine.containers.inspect('operation')).State.Running, true);

      await using other = await FleetClient.open({ hub: world.url.href, token: await world.user('other', 'view') });
      const byKey = await other.operationByKey(asked.key);
      assert.equal(byKey?.id, answer.id);
      const again = await fleet.submit({ ...asked, patienceMs: 0 });
      assert.equal(again.id, answer.id);
      const ends = await Promise.all([answer.wait(), byKey.wait(), (await other.operation(answer.id)).wait()]);
      for (const end of ends) assert.deepEqual(evidence(end), ['SUCCEEDED', 'killed', 137, true]);
      assert.deepEqual(exitOf(await engine.containers.inspect('operation')), ['exited', 137]);
      const told = JSON.stringify([await fleet.history(answer.id), ends]);
      assert.doesNotMatch(told, /cannot connect|unreachable|timed? ?out/i);
    });

    // The client looks once more when its caller's patience ends: where that is the very moment of the end, it may see the end.
    for (const { what, patienceMs } of [
      { what: 'or the end itself when both come in one moment', patienceMs: GRACE_MS },
      { what: 'always when he listens for less', patienceMs: GRACE_MS - 1_500 },
    ])
      it(`is a PendingError of the client, ${what}; its wait() tells the end`, async () => {
        await using web = await connect({ hub: world.socket, host: 'web' });
        const name = `session-${patienceMs}`;
        await running(name);
        let end: OperationResult;
        try {
          end = await web.containers.stop(name, { graceMs: GRACE_MS, patienceMs });
          assert.equal(patienceMs, GRACE_MS, 'the end came before it could');
        } catch (error) {
          if (!(error instanceof PendingError)) throw error;
          assert.doesNotMatch(error.message, /cannot connect/i);
          const { endsWithinMs } = error.operation;
          assert.ok(endsWithinMs > 0 && endsWithinMs < Infinity, String(endsWithinMs));
          end = await error.operation.wait();
        }
        assert.deepEqual([end.changed, end.outcome, end.exitCode], [true, 'killed', 137]);
        assert.deepEqual(exitOf(await engine.containers.inspect(name)), ['exited', 137]);
      });
  });

function evidence({ state, outcome }: FleetOperation): readonly unknown[] {
  return [state, outcome?.stop, outcome?.exitCode, outcome?.changed];
}

function exitOf({ State }: { readonly State: { readonly Status: string; readonly ExitCode: number } }): unknown {
  return [State.Status, State.ExitCode];
}
