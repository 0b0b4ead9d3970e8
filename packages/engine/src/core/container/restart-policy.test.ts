import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  RESTART_DELAY_MAX_MS,
  RESTART_DELAY_MIN_MS,
  restartsWithEngine,
  shouldRestart,
  type EndOfRun,
  type RestartPolicy,
} from './restart-policy.ts';

const byItself: EndOfRun = {
  exitCode: 0,
  ranMs: 0,
  restartCount: 0,
  delayMs: 0,
  manuallyStopped: false,
  cancelled: false,
};
const crash: EndOfRun = { ...byItself, exitCode: 3 };
/** After stop or kill: the policy is out of force. */
const stopped: EndOfRun = { ...byItself, exitCode: 137, manuallyStopped: true, cancelled: true };
/** After another signal than the configured stop signal. */
const signalled: EndOfRun = { ...crash, manuallyStopped: true };

const no: RestartPolicy = { name: 'no', maximumRetryCount: 0 };
const always: RestartPolicy = { name: 'always', maximumRetryCount: 0 };
const unlessStopped: RestartPolicy = { name: 'unless-stopped', maximumRetryCount: 0 };
const onFailure: RestartPolicy = { name: 'on-failure', maximumRetryCount: 0 };
const onFailureTwice: RestartPolicy = { name: 'on-failure', maximumRetryCount: 2 };

/** Source: engine-api 3.6 and 3.5. */
const TABLE: readonly {
  readonly cause: string;
  readonly end: EndOfRun;
  readonly restarts: readonly RestartPolicy[];
}[] = [
  { cause: 'a success', end: byItself, restarts: [always, unlessStopped] },
  { cause: 'a failure', end: crash, restarts: [always, unlessStopped, onFailure, onFailureTwice] },
  {
    cause: 'a failure after two restarts',
    end: { ...crash, restartCount: 2 },
    restarts: [always, unlessStopped, onFailure],
  },
  { cause: 'stop or kill', end: stopped, restarts: [] },
  { cause: 'a failure after another signal', end: signalled, restarts: [always, onFailure, onFailureTwice] },
];

describe('shouldRestart', () => {
  for (const { cause, end, restarts } of TABLE) {
    for (const policy of [no, always, unlessStopped, onFailure, onFailureTwice]) {
      const expected = restarts.includes(policy);
      it(`${expected ? 'restarts' : 'leaves'} ${policy.name}:${policy.maximumRetryCount} after ${cause}`, () => {
        assert.equal(shouldRestart(policy, end).restart, expected);
      });
    }
  }

  it('waits twice as long each time, up to a minute, and begins again after a run of ten seconds', () => {
    const delays: number[] = [];
    for (let delayMs = 0; delays.length < 12;) {
      const decision = shouldRestart(always, { ...crash, delayMs });
      assert.ok(decision.restart);
      delayMs = decision.delayMs;
      delays.push(delayMs);
    }
    assert.deepEqual(delays.slice(0, 4), [100, 200, 400, 800]);
    assert.equal(delays.at(-1), RESTART_DELAY_MAX_MS);
    const healthy = shouldRestart(always, { ...crash, delayMs: 6_400, ranMs: 10_000 });
    assert.deepEqual(healthy, { restart: true, delayMs: RESTART_DELAY_MIN_MS });
  });
});

describe('restartsWithEngine', () => {
  const cases: readonly {
    readonly end: { readonly exitCode: number; readonly manuallyStopped: boolean };
    readonly restarts: readonly RestartPolicy[];
  }[] = [
    { end: { exitCode: 0, manuallyStopped: false }, restarts: [always, unlessStopped] },
    { end: { exitCode: 3, manuallyStopped: false }, restarts: [always, unlessStopped, onFailure] },
    { end: { exitCode: 137, manuallyStopped: true }, restarts: [always, onFailure] },
  ];
  for (const { end, restarts } of cases) {
    it(`after ${JSON.stringify(end)}: ${restarts.map(({ name }) => name).join(', ')}`, () => {
      const policies = [no, always, unlessStopped, onFailure];
      assert.deepEqual(
        policies.filter((policy) => restartsWithEngine(policy, end)),
        restarts,
      );
    });
  }
});
