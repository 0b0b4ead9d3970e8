import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FINAL_STATES } from '@fairlead/protocol/fleet';
import { claimAnswer, type LifeEvent, type OperationLife, SUBMITTED, transition } from './machine.ts';

const claim: LifeEvent = { kind: 'claim' };
const expire: LifeEvent = { kind: 'expire' };
const cancel: LifeEvent = { kind: 'cancel' };
const queued: LifeEvent = { kind: 'queued', sequence: 7 };
const offline: LifeEvent = { kind: 'undeliverable', code: 'HOST_OFFLINE', message: 'gone' };
const told = (seq: number, kind: 'started' | 'done'): LifeEvent => ({
  kind: 'agent',
  event:
    kind === 'started'
      ? { seq, atMs: 0, kind }
      : { seq, atMs: 0, kind, state: 'SUCCEEDED', outcome: { changed: true } },
});

function after(...events: readonly LifeEvent[]): OperationLife {
  return events.reduce((life, event) => transition(life, event).life, SUBMITTED);
}

describe('transition', () => {
  const cases: readonly (readonly [readonly LifeEvent[], OperationLife['state']])[] = [
    [[queued], 'QUEUED'],
    [[claim], 'CLAIMED'],
    [[claim, queued], 'CLAIMED'],
    [[claim, told(1, 'started')], 'RUNNING'],
    [[claim, told(1, 'started'), told(2, 'done')], 'SUCCEEDED'],
    [[queued, expire], 'EXPIRED'],
    [[claim, expire], 'CLAIMED'],
    [[cancel], 'CANCELLED'],
    [[claim, cancel], 'CLAIMED'],
    [[claim, { kind: 'cancelled-by-agent' }], 'CANCELLED'],
    [[claim, told(1, 'started'), { kind: 'cancelled-by-agent' }], 'RUNNING'],
    [[offline], 'FAILED'],
    [[claim, offline], 'CLAIMED'],
    [[{ kind: 'host-removed' }], 'FAILED'],
    [[claim, { kind: 'host-removed' }], 'UNKNOWN'],
    [[told(1, 'started')], 'SUBMITTED'],
  ];
  for (const [events, state] of cases) {
    it(`${events.map(({ kind }) => kind).join(', ')}: ${state}`, () => assert.equal(after(...events).state, state));
  }

  it('takes an agent’s events once and in order', () => {
    const life = after(claim, told(2, 'started'), told(1, 'started'), told(1, 'started'));
    assert.deepEqual([life.state, life.agentSeq], ['RUNNING', 1]);
  });

  it('deletes a message that nobody needs any more, also when it came after the end', () => {
    assert.ok(transition(after(queued), cancel).deleteMessage);
    assert.ok(transition(after(cancel), queued).deleteMessage);
  });

  const event = fc.oneof(
    fc.constantFrom<LifeEvent>(
      claim,
      expire,
      cancel,
      queued,
      offline,
      { kind: 'cancelled-by-agent' },
      { kind: 'host-removed' },
    ),
    fc
      .tuple(fc.integer({ min: 1, max: 4 }), fc.constantFrom('started' as const, 'done' as const))
      .map(([seq, kind]) => told(seq, kind)),
  );

  it('never leaves an end, and grants nothing after one, over any history', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 12 }), (events) => {
        let life = SUBMITTED;
        let granted = false;
        for (const one of events) {
          const next = transition(life, one).life;
          if (FINAL_STATES.has(life.state)) assert.deepEqual([next.state, next.outcome], [life.state, life.outcome]);
          granted ||= claimAnswer(next).granted;
          // Told as never started, and so never granted before or after.
          if (next.state === 'EXPIRED' || next.outcome?.failure?.code === 'HOST_OFFLINE') assert.ok(!granted);
          if (FINAL_STATES.has(next.state)) assert.ok(!claimAnswer(next).granted);
          life = next;
        }
      }),
    );
  });
});
