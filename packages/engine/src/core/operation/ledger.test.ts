import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Operation } from '@fairlead/protocol';
import { silentLog } from '../../lib/log.ts';
import { FakeClock } from '../ports/fake-clock.ts';
import { memoryLog } from '../ports/memory-records.ts';
import { OPERATIONS_QUEUED_MAX, OperationLedger } from './ledger.ts';

const caller = { userAgent: 'Go-http-client/1.1', peer: { pid: 7, uid: 0, gid: 0 }, address: undefined };
const never = new AbortController().signal;
const target = { Type: 'container', Id: 'c1', Name: 'web' } as const;

function scene(): {
  readonly clock: FakeClock;
  readonly log: ReturnType<typeof memoryLog<Operation>>;
  readonly ledger: OperationLedger;
} {
  const clock = new FakeClock();
  const log = memoryLog<Operation>();
  return { clock, log, ledger: new OperationLedger(log, clock, silentLog) };
}

describe('OperationLedger', () => {
  it('tells the story of a stop whose caller hung up when the grace was over', () => {
    const { clock, ledger } = scene();
    const stop = ledger.begin({ verb: 'stop', caller, budgetMs: 20_000 });
    stop.target(target);
    stop.grace(20_000);
    stop.bound(30_000);
    stop.phase('signal');
    stop.phase('grace');
    clock.advance(20_000);
    stop.phase('kill');
    stop.callerLeft();
    clock.advance(5);
    stop.stopped({ outcome: 'killed', exitCode: 137 });
    stop.end({ outcome: 'succeeded' });
    const [operation] = ledger.list({ limit: undefined, about: undefined });
    assert.deepEqual(operation, {
      Id: stop.id,
      Verb: 'stop',
      Target: target,
      Caller: { UserAgent: 'Go-http-client/1.1', Pid: 7, Uid: 0, Gid: 0 },
      StartedAt: '2026-01-01T00:00:00.000Z',
      BoundMs: 30_000,
      GraceMs: 20_000,
      BudgetMs: 20_000,
      Phase: 'done',
      Phases: [
        { Phase: 'accepted', AtMs: 0 },
        { Phase: 'signal', AtMs: 0 },
        { Phase: 'grace', AtMs: 0 },
        { Phase: 'kill', AtMs: 20_000 },
        { Phase: 'done', AtMs: 20_005 },
      ],
      Outcome: { Result: 'succeeded', Detail: 'killed', ExitCode: 137, TookMs: 20_005 },
      CallerLeftAtMs: 20_000,
    });
  });

  it('does not count a caller that leaves after the answer, and ends once', () => {
    const { ledger } = scene();
    const stop = ledger.begin({ verb: 'stop', caller, budgetMs: undefined });
    stop.end({ outcome: 'not-modified' });
    stop.end({ outcome: 'failed', message: 'late' });
    stop.callerLeft();
    const operation = ledger.get(stop.id);
    assert.equal(operation.Outcome?.Result, 'not-modified');
    assert.equal(operation.CallerLeftAtMs, null);
  });

  it('lets anybody wait for an operation under way, and answers at once for one that is over', async () => {
    const { ledger } = scene();
    const stop = ledger.begin({ verb: 'stop', caller, budgetMs: undefined });
    const waiting = ledger.wait(stop.id, never);
    stop.end({ outcome: 'failed', message: 'no' });
    assert.equal((await waiting).Outcome?.Error, 'no');
    assert.equal((await ledger.wait(stop.id, never)).Outcome?.Result, 'failed');
    await assert.rejects(ledger.wait('nosuch', never), /No such operation: nosuch/);
  });

  it('takes the id that its caller wants, unless one under way has it', () => {
    const { ledger } = scene();
    const id = '0123456789abcdef';
    const first = ledger.begin({ id, verb: 'stop', caller, budgetMs: undefined });
    assert.deepEqual([first.id, ledger.get(id).Verb], [id, 'stop']);
    assert.notEqual(ledger.begin({ id, verb: 'stop', caller, budgetMs: undefined }).id, id);
  });

  it('follows an operation from phase to phase, and one that is over at once', async () => {
    const { ledger } = scene();
    const stop = ledger.begin({ verb: 'stop', caller, budgetMs: undefined });
    const following = ledger.follow(stop.id, never);
    const phases = async (): Promise<unknown> => (await following.next()).value?.Phase;
    assert.equal(await phases(), 'accepted');
    const next = phases();
    stop.phase('signal');
    stop.phase('grace');
    assert.equal(await next, 'grace');
    const last = phases();
    stop.end({ outcome: 'succeeded' });
    assert.equal(await last, 'done');
    assert.equal((await following.next()).done, true);
    assert.deepEqual(
      (await Array.fromAsync(ledger.follow(stop.id, never))).map(({ Phase }) => Phase),
      ['done'],
    );
    await assert.rejects(ledger.follow('nosuch', never).next(), /No such operation: nosuch/);
  });

  it('lets a follower leave', async () => {
    const { ledger } = scene();
    const stop = ledger.begin({ verb: 'stop', caller, budgetMs: undefined });
    const leaving = new AbortController();
    const following = ledger.follow(stop.id, leaving.signal);
    await following.next();
    const next = following.next();
    leaving.abort(new Error('I left'));
    await assert.rejects(next, /I left/);
  });

  it('marks what was under way when the engine ended as interrupted', () => {
    const { clock, log, ledger } = scene();
    const stop = ledger.begin({ verb: 'stop', caller, budgetMs: undefined });
    stop.phase('grace');
    clock.advance(1_000);
    const next = new OperationLedger(log, clock, silentLog);
    next.markInterrupted();
    assert.deepEqual(next.get(stop.id).Outcome, { Result: 'interrupted', TookMs: 1_000 });
  });

  it('lists the newest first, and those about one container', () => {
    const { ledger } = scene();
    for (const name of ['a', 'b', 'a']) {
      const operation = ledger.begin({ verb: 'start', caller, budgetMs: undefined });
      operation.target({ Type: 'container', Id: name, Name: name });
      operation.end({ outcome: 'succeeded' });
    }
    assert.equal(ledger.list({ limit: 2, about: undefined }).length, 2);
    assert.deepEqual(
      ledger.list({ limit: undefined, about: { ref: 'x', id: 'a' } }).map(({ Target }) => Target.Id),
      ['a', 'a'],
    );
  });

  it('remembers those about a container that is removed, by its name and by its id', () => {
    const { ledger } = scene();
    const stop = ledger.begin({ verb: 'stop', caller, budgetMs: undefined });
    stop.target({ Type: 'container', Id: 'c'.repeat(64), Name: 'web' });
    stop.end({ outcome: 'succeeded' });
    const found = (ref: string): number => ledger.list({ limit: undefined, about: { ref, id: undefined } }).length;
    assert.deepEqual(['web', 'c'.repeat(64), 'c'.repeat(12), 'c', 'we', 'db'].map(found), [1, 1, 1, 0, 0, 0]);
  });

  it('tells whoever follows of what ends, and of callers that hang up before', async () => {
    const { ledger } = scene();
    const over = new AbortController();
    const told: string[] = [];
    const follow = async (about: { ref: string; id: string | undefined } | undefined): Promise<void> => {
      for await (const { Target, Outcome, CallerLeftAtMs } of ledger.feed(about, over.signal))
        told.push(
          [about?.ref ?? 'all', Target.Name, Outcome?.Result ?? 'running', CallerLeftAtMs ?? 'stays'].join(' '),
        );
    };
    const followers = [follow(undefined), follow({ ref: 'db', id: undefined })];
    for (const name of ['web', 'db']) {
      const operation = ledger.begin({ verb: 'stop', caller, budgetMs: undefined });
      operation.target({ Type: 'container', Id: name, Name: name });
      if (name === 'db') operation.callerLeft();
      operation.end({ outcome: 'succeeded' });
    }
    over.abort();
    await Promise.all(followers);
    assert.deepEqual(told.toSorted(), [
      'all db running 0',
      'all db succeeded 0',
      'all web succeeded stays',
      'db db running 0',
      'db db succeeded 0',
    ]);
  });

  it('cuts off whoever follows and does not listen', async () => {
    const { ledger } = scene();
    const feed = ledger.feed(undefined, never);
    for (let count = 0; count <= OPERATIONS_QUEUED_MAX; count += 1)
      ledger.begin({ verb: 'start', caller, budgetMs: undefined }).end({ outcome: 'succeeded' });
    await assert.rejects(async () => {
      for await (const _ of feed);
    }, /fell more than 1000 operations behind/);
  });
});
