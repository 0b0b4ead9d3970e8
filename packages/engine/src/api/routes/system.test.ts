import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EngineEvent } from '../../core/events/event.ts';
import { EventFeed } from '../../core/events/feed.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { RecordLog } from '../../core/ports/record-store.ts';
import type { SystemCounts, SystemFacts } from '../../core/system/system-facts.ts';
import { apiScene } from '../test/api-scene.ts';
import { get } from '../test/requests.ts';
import { systemRoutes } from './system.ts';

const clock: Clock = {
  now: () => new Date(1_795_322_651_000),
  monotonicMs: () => 0,
  after: () => ({ [Symbol.dispose]() {} }),
};

function memoryLog<T>(): RecordLog<T> {
  const records: { readonly sequence: number; readonly record: T; readonly at: Date }[] = [];
  return {
    append: (record, at) => records.push({ sequence: records.length + 1, record, at }),
    replace() {},
    between: (from, to) =>
      records.filter(({ at }) => (from === undefined || at >= from) && (to === undefined || at <= to)),
    get: (sequence) => records[sequence - 1]?.record,
    trim() {},
  };
}

function parts() {
  const events = new EventFeed(memoryLog<EngineEvent>(), clock);
  const facts = {
    engineVersion: '0.1.0',
    nodeVersion: 'v24',
    runtimes: [],
    warnings: [],
    storageStatus: [],
    monitor: { name: 'container-keeper', path: '/c', version: '2' },
    host: { architecture: 'amd64', cgroups: {} },
  } as unknown as SystemFacts;
  const counts: SystemCounts = {
    running: 1,
    paused: 0,
    stopped: 0,
    images: 0,
    eventListeners: 0,
    descriptors: 0,
    now: clock.now(),
  };
  return { events, routes: systemRoutes({ facts: async () => facts, counts: () => counts, events }) };
}

const started: Omit<EngineEvent, 'timeNanos'> = {
  type: 'container',
  action: 'start',
  actorId: 'c1',
  attributes: { image: 'busybox', name: 'web' },
};

describe('systemRoutes', () => {
  it('ping tells clients what they negotiate by', async () => {
    await using scene = await apiScene(parts().routes);
    const client = scene.connect();
    for (const method of ['GET', 'HEAD']) {
      const { headers, body } = await client.send(`${method} /_ping HTTP/1.1\r\nHost: x\r\n\r\n`).answer(method);
      const expected = {
        'api-version': '1.44',
        'cache-control': 'no-cache, no-store, must-revalidate',
        pragma: 'no-cache',
        'content-type': 'text/plain; charset=utf-8',
        'content-length': method === 'GET' ? '2' : '0',
        swarm: 'inactive',
        'builder-version': '1',
      };
      for (const [name, value] of Object.entries(expected)) assert.equal(headers.get(name), value, `${method} ${name}`);
      assert.equal(body, method === 'GET' ? 'OK' : '');
    }
  });

  it('version and info are documents', async () => {
    await using scene = await apiScene(parts().routes);
    const client = scene.connect();
    const version = JSON.parse((await client.send(get('/version')).answer()).body) as Record<string, unknown>;
    assert.equal(version['ApiVersion'], '1.44');
    const info = JSON.parse((await client.send(get('/v1.44/info')).answer()).body) as Record<string, unknown>;
    assert.equal(info['ContainersRunning'], 1);
  });

  it('events flush their head, then send one line and chunk per event, until the client leaves', async () => {
    const { routes, events } = parts();
    await using scene = await apiScene(routes);
    const client = scene.connect().send(get('/events'));
    assert.match(await client.until('\r\n\r\n'), /Content-Type: application\/json\r\n.*Transfer-Encoding: chunked/s);
    assert.equal(events.listeners, 1);
    events.publish(started);
    const size = Number.parseInt(await client.until('\r\n'), 16);
    const line = (await client.bytes(size)).toString();
    assert.ok(line.endsWith('}\n'));
    const { timeNano, ...message } = JSON.parse(line) as Record<string, unknown>;
    assert.equal(typeof timeNano, 'number');
    assert.deepEqual(message, {
      status: 'start',
      id: 'c1',
      from: 'busybox',
      Type: 'container',
      Action: 'start',
      Actor: { ID: 'c1', Attributes: { image: 'busybox', name: 'web' } },
      scope: 'local',
      time: 1_795_322_651,
    });
    client.halfClose();
    assert.equal((await client.toEnd()).toString(), '\r\n0\r\n\r\n');
    assert.equal(events.listeners, 0);
  });

  it('events of the past end by themselves', async () => {
    const { routes, events } = parts();
    events.publish(started);
    await using scene = await apiScene(routes);
    const client = scene.connect();
    const past = await client.send(get('/events?since=1&until=1795322651')).answer();
    assert.equal(past.body.split('\n').length, 2);
    const refused = await client.send(get('/events?since=9&until=8')).answer();
    assert.equal(refused.body, '{"message":"`since` time (9) cannot be after `until` time (8)"}\n');
  });
});
