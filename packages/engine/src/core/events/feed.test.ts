import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nanosFromDate, NO_FILTERS, type Filters } from '@fairlead/protocol';
import { FakeClock } from '../ports/fake-clock.ts';
import { memoryLog } from '../ports/memory-records.ts';
import type { EngineEvent } from './event.ts';
import { EventFeed, EVENTS_QUEUED_MAX } from './feed.ts';
import { matchesFilters } from './filter.ts';

const never = new AbortController().signal;
const event = (action: string, name = 'web') =>
  ({
    type: 'container',
    action,
    actorId: 'ab12',
    attributes: { image: 'busybox:latest', name, tier: 'front' },
  }) as const;

function scene(): { readonly clock: FakeClock; readonly feed: EventFeed } {
  const clock = new FakeClock();
  return { clock, feed: new EventFeed(memoryLog<EngineEvent>(), clock) };
}

async function actions(events: AsyncIterable<EngineEvent>, count = Infinity): Promise<string[]> {
  const seen: string[] = [];
  for await (const { action } of events) {
    seen.push(action);
    if (seen.length === count) break;
  }
  return seen;
}

describe('EventFeed', () => {
  it('gives the past since a moment, then the present, and misses nothing in between', async () => {
    const { clock, feed } = scene();
    feed.publish(event('create'));
    clock.advance(1_000);
    const since = nanosFromDate(clock.now());
    feed.publish(event('start'));
    const events = feed.subscribe({ since, until: undefined, filters: NO_FILTERS }, never);
    feed.publish(event('die'));
    assert.deepEqual(await actions(events, 2), ['start', 'die']);
    assert.equal(feed.listeners, 0);
  });

  it('gives no past without since and until', async () => {
    const { feed } = scene();
    feed.publish(event('create'));
    const events = feed.subscribe({ since: undefined, until: undefined, filters: NO_FILTERS }, never);
    feed.publish(event('start'));
    assert.deepEqual(await actions(events, 1), ['start']);
  });

  it('ends at until, in the past at once, in the future then', async () => {
    const { clock, feed } = scene();
    feed.publish(event('create'));
    const now = nanosFromDate(clock.now());
    assert.deepEqual(await actions(feed.subscribe({ since: 0n, until: now, filters: NO_FILTERS }, never)), ['create']);
    const later = actions(feed.subscribe({ since: 0n, until: now + 1_000_000_000n, filters: NO_FILTERS }, never));
    feed.publish(event('start'));
    clock.advance(1_000);
    feed.publish(event('die'));
    assert.deepEqual(await later, ['create', 'start']);
  });

  it('refuses since after until', () => {
    const { feed } = scene();
    assert.throws(() => feed.subscribe({ since: 2_000_000_000n, until: 1n, filters: NO_FILTERS }, never), {
      message: '`since` time (2) cannot be after `until` time (0)',
    });
  });

  it('stamps events of the same millisecond with rising times', async () => {
    const { feed } = scene();
    for (let count = 0; count < 3; count += 1) feed.publish(event(`e${count}`));
    const times: bigint[] = [];
    const until = nanosFromDate(new Date(8e15));
    for await (const { timeNanos } of feed.subscribe({ since: 0n, until, filters: NO_FILTERS }, AbortSignal.abort())) {
      times.push(BigInt(timeNanos));
    }
    assert.equal(new Set(times).size, 3);
  });

  it('cuts a subscriber off that does not read, and tells it so', async () => {
    const { feed } = scene();
    const events = feed.subscribe({ since: undefined, until: undefined, filters: NO_FILTERS }, never);
    for (let count = 0; count <= EVENTS_QUEUED_MAX; count += 1) feed.publish(event('exec_die'));
    await assert.rejects(actions(events), /fell more than 10000 events behind/);
    assert.equal(feed.listeners, 0);
  });

  it('ends when the subscriber leaves', async () => {
    const { feed } = scene();
    const leaving = new AbortController();
    const seen = actions(feed.subscribe({ since: undefined, until: undefined, filters: NO_FILTERS }, leaving.signal));
    leaving.abort();
    assert.deepEqual(await seen, []);
    assert.equal(feed.listeners, 0);
  });
});

describe('matchesFilters', () => {
  const cases: readonly {
    readonly filters: Record<string, string[]>;
    readonly action?: string;
    readonly matches: boolean;
  }[] = [
    { filters: { container: ['web'] }, matches: true },
    { filters: { container: ['ab1'] }, matches: true },
    { filters: { container: ['other'] }, matches: false },
    { filters: { event: ['die', 'start'] }, matches: true },
    { filters: { event: ['exec_create'] }, action: 'exec_create: sh -c x', matches: true },
    { filters: { event: ['exec'] }, action: 'exec_create: sh', matches: false },
    { filters: { image: ['busybox'] }, matches: true },
    { filters: { image: ['busybox:latest'] }, matches: true },
    { filters: { image: ['alpine'] }, matches: false },
    { filters: { label: ['tier'] }, matches: true },
    { filters: { label: ['tier=front'] }, matches: true },
    { filters: { label: ['tier=back'] }, matches: false },
    { filters: { type: ['network'] }, matches: false },
    { filters: { type: ['container'], event: ['stop'] }, matches: false },
    { filters: { nosuch: ['x'] }, matches: true },
    { filters: { scope: ['local'] }, matches: true },
    { filters: { scope: ['swarm'] }, matches: false },
    { filters: { network: ['web'] }, matches: false },
    { filters: { volume: ['web'] }, matches: false },
    { filters: { daemon: ['web'] }, matches: false },
  ];
  for (const { filters, action, matches } of cases) {
    it(`${JSON.stringify(filters)} ${matches ? 'matches' : 'does not match'} ${action ?? 'start'}`, () => {
      const asked: Filters = new Map(Object.entries(filters));
      assert.equal(matchesFilters({ ...event(action ?? 'start'), timeNanos: '1' }, asked), matches);
    });
  }

  it('finds networks and volumes by name and by the beginning of an id', () => {
    for (const type of ['network', 'volume'] as const) {
      const made = { ...event('create', 'mine'), type, timeNanos: '1' };
      for (const wanted of ['mine', 'ab1']) assert.ok(matchesFilters(made, new Map([[type, [wanted]]])));
      assert.ok(!matchesFilters(made, new Map([[type, ['other']]])));
      assert.ok(!matchesFilters(made, new Map([['container', ['mine']]])));
    }
  });
});
