import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EventMessage, UnixNanos } from '@fairlead/protocol';
import { connectionLost, EngineUnreachableError, RequestFailedError } from '../errors.ts';
import { type EventFeedItem, followEvents, type OpenEvents } from './event-feed.ts';

const lost = (): Error => connectionLost('events', new Error('socket hang up'));
const away = (): Error => new EngineUnreachableError('Cannot connect', { errno: 'ENOENT', address: 'unix:///x' });

function event(Action: string, atMs: number): EventMessage {
  const Actor = { ID: 'c1', Attributes: {} };
  return { Type: 'container', Action, Actor, scope: 'local', time: Math.floor(atMs / 1000), timeNano: atMs * 1e6 };
}

/** Opens these one after the other: events and then an end, or a failure. */
function feeds(...each: readonly (readonly (EventMessage | Error)[] | Error)[]): {
  readonly open: OpenEvents;
  readonly since: (UnixNanos | undefined)[];
} {
  const since: (UnixNanos | undefined)[] = [];
  const open: OpenEvents = async (from) => {
    const next = each[since.length];
    since.push(from);
    if (next instanceof Error) throw next;
    return (async function* events() {
      for (const item of next ?? []) {
        if (item instanceof Error) throw item;
        yield item;
      }
      if (next === undefined) await new Promise(() => {});
    })();
  };
  return { open, since };
}

async function take(count: number, items: AsyncGenerator<EventFeedItem>): Promise<readonly string[]> {
  const seen: string[] = [];
  for await (const item of items) {
    seen.push(item.kind === 'event' ? item.event.Action : `gap ${item.since?.getTime() ?? 'unknown'}`);
    if (seen.length === count) break;
  }
  return seen;
}

describe('followEvents', () => {
  it('ends where the engine ends it, or fails, unless it is to go on', async () => {
    assert.deepEqual(await take(9, followEvents(feeds([event('start', 1)]).open, {})), ['start']);
    await assert.rejects(take(9, followEvents(feeds([event('start', 1), lost()]).open, {})), /socket hang up/);
    await assert.rejects(take(9, followEvents(feeds(away()).open, {})), /Cannot connect/);
  });

  it('tells of the gap as soon as the engine is back, before anything has happened', async () => {
    const { open, since } = feeds([event('start', 5_000), lost()], away(), []);
    assert.deepEqual(await take(2, followEvents(open, { reconnect: true })), ['start', 'gap 5000']);
    assert.deepEqual(since, [undefined, 5_000_000_000n, 5_000_000_000n]);
  });

  it('asks from the millisecond of the last event on, and tells nothing twice', async () => {
    const [first, second] = [event('kill', 7_000.25), event('die', 7_000.5)];
    const { open, since } = feeds([first, second, lost()], [first, second, event('stop', 7_000.75)]);
    assert.deepEqual(await take(4, followEvents(open, { reconnect: true })), ['kill', 'die', 'gap 7000', 'stop']);
    assert.deepEqual(since, [undefined, 7_000_000_000n]);
  });

  it('does not know since when, if nothing had happened before', async () => {
    assert.deepEqual(await take(2, followEvents(feeds([], [event('die', 1)]).open, { reconnect: true })), [
      'gap unknown',
      'die',
    ]);
  });

  it('does not go on after a refusal, nor when it was to end', async () => {
    const refused = new RequestFailedError('invalid-argument', 'invalid filter', { operation: 'events', status: 400 });
    await assert.rejects(take(9, followEvents(feeds(refused).open, { reconnect: true })), /invalid filter/);
    assert.deepEqual(await take(9, followEvents(feeds([event('die', 1)]).open, { reconnect: true, until: 2n })), [
      'die',
    ]);
  });

  it('rejects with the caller’s reason, also between two attempts', async () => {
    const leaving = new AbortController();
    const items = followEvents(feeds(...Array.from({ length: 50 }, away)).open, {
      reconnect: true,
      signal: leaving.signal,
    });
    const next = items.next();
    setTimeout(() => leaving.abort(), 150);
    await assert.rejects(next, { name: 'AbortError' });
  });
});
