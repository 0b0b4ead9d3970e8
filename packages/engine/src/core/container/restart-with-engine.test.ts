import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { containerId } from '@fairlead/protocol';
import { silentLog } from '../../lib/log.ts';
import { FakeClock } from '../ports/fake-clock.ts';
import { ContainerActor } from './actor.ts';
import { recordOf } from './record.fixture.ts';
import { restartWithEngine } from './restart-with-engine.ts';
import type { ContainerState, LastRun } from './state.ts';

const at = new Date('2026-01-01T00:00:00Z');
const created = { process: { pid: 42, startTicks: 7 }, monitor: { pid: 41, startTicks: 6 } };
const last: LastRun = {
  exitCode: 0,
  startedAt: at,
  finishedAt: at,
  oomKilled: false,
  killedAfterGrace: false,
  error: '',
};
const exited: ContainerState = { status: 'exited', last, restartCount: 4, manuallyStopped: false, failure: null };

/** @returns where the container is once the engine has started. */
async function afterEngineStart(
  state: ContainerState,
  host: { readonly policy?: string; readonly autoRemove?: boolean },
): Promise<string> {
  const record = recordOf({ id: containerId('cd'.repeat(32)), name: 'web', autoRemove: host.autoRemove === true });
  const RestartPolicy = { Name: host.policy ?? 'no', MaximumRetryCount: 0 };
  const nothing = async (): Promise<void> => {};
  const actor = new ContainerActor(
    { ...record, state, hostConfig: { ...record.hostConfig, RestartPolicy } },
    {
      work: {
        launch: async () => ({ created, endpoint: null }),
        ...{ sendSignal: nothing, freeze: nothing, thaw: nothing, cleanUpRun: nothing, removeRemains: nothing },
      },
      clock: new FakeClock(),
      commit() {},
      forget() {},
      onNotStored: (_record, cause) => assert.fail(String(cause)),
      onEffectFailed: (_record, effect, cause) => assert.fail(`${effect.effect}: ${String(cause)}`),
    },
  );
  let isGone = false;
  using _removal = actor.onRemoved(() => {
    isGone = true;
  });
  restartWithEngine({ log: silentLog }, actor);
  await actor.amend((same) => same).catch(() => {});
  return isGone ? 'gone' : actor.state.status;
}

describe('restartWithEngine', () => {
  const cases: readonly {
    readonly name: string;
    readonly state: ContainerState;
    readonly policy?: string;
    readonly autoRemove?: boolean;
    readonly expected: string;
  }[] = [
    { name: 'always runs again', state: exited, policy: 'always', expected: 'running' },
    {
      name: 'always runs again after a stop',
      state: { ...exited, manuallyStopped: true },
      policy: 'always',
      expected: 'running',
    },
    { name: 'unless-stopped runs again', state: exited, policy: 'unless-stopped', expected: 'running' },
    {
      name: 'unless-stopped stays stopped',
      state: { ...exited, manuallyStopped: true },
      policy: 'unless-stopped',
      expected: 'exited',
    },
    { name: 'on-failure stays after a success', state: exited, policy: 'on-failure', expected: 'exited' },
    {
      name: 'on-failure runs again after a failure',
      state: { ...exited, last: { ...last, exitCode: 3 } },
      policy: 'on-failure',
      expected: 'running',
    },
    { name: 'no stays', state: exited, expected: 'exited' },
    {
      name: 'what was never started stays',
      state: { status: 'created', failure: null },
      policy: 'always',
      expected: 'created',
    },
    { name: 'what removes itself goes', state: exited, autoRemove: true, expected: 'gone' },
    {
      name: 'what removes itself and could not even be started goes, too',
      state: { status: 'created', failure: { exitCode: 128, message: 'interrupted' } },
      autoRemove: true,
      expected: 'gone',
    },
    {
      name: 'what removes itself and was never started stays',
      state: { status: 'created', failure: null },
      autoRemove: true,
      expected: 'created',
    },
  ];
  for (const { name, state, expected, ...host } of cases) {
    it(name, async () => assert.equal(await afterEngineStart(state, host), expected));
  }
});
