import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EngineError, type Operation } from '@fairlead/protocol';
import { waitOrAbort } from '../../lib/wait-or-abort.ts';
import { apiScene } from '../test/api-scene.ts';
import { get } from '../test/requests.ts';
import { operationRoutes, type OperationRoutesDeps } from './operations.ts';

function operation(id: string, targetId: string): Operation {
  return {
    Id: id,
    Verb: 'stop',
    Target: { Type: 'container', Id: targetId, Name: 'web' },
    Caller: { UserAgent: '' },
    StartedAt: '2026-01-01T00:00:00Z',
    BoundMs: 1,
    Phase: 'grace',
    Phases: [],
    Outcome: null,
    CallerLeftAtMs: null,
  };
}

function parts() {
  const done = Promise.withResolvers<Operation>();
  const all = [operation('op2', 'c2'), operation('op1', 'c1')];
  const getOne = (id: string): Operation => {
    const found = all.find(({ Id }) => Id === id);
    if (found === undefined) throw new EngineError('not-found', `No such operation: ${id}`);
    return found;
  };
  const deps: OperationRoutesDeps = {
    ledger: {
      get: getOne,
      list: ({ limit, about }) =>
        all
          .filter(
            ({ Target }) =>
              about === undefined || (about.id === undefined ? about.ref === 'gone' : Target.Id === about.id),
          )
          .slice(0, limit),
      feed: async function* feed(about, signal) {
        yield operation(about?.ref ?? 'any', about?.id ?? 'none');
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      },
      wait: (_id, signal) => waitOrAbort(done.promise, signal),
      follow: async function* follow(id, signal) {
        yield getOne(id);
        yield await waitOrAbort(done.promise, signal);
      },
    },
    containerIdOf: (ref) => {
      if (ref === 'web') return 'c1';
      throw new EngineError('not-found', `No such container: ${ref}`);
    },
  };
  return { done, routes: operationRoutes(deps) };
}

const ids = (body: string): string => (JSON.parse(body) as readonly Operation[]).map(({ Id }) => Id).join(' ');

describe('operationRoutes', () => {
  it('lists, by count and by container', async () => {
    await using scene = await apiScene(parts().routes);
    const client = scene.connect();
    assert.equal(ids((await client.send(get('/fairlead/operations')).answer()).body), 'op2 op1');
    assert.equal(ids((await client.send(get('/fairlead/operations?limit=1')).answer()).body), 'op2');
    assert.equal(ids((await client.send(get('/fairlead/operations?container=web')).answer()).body), 'op1');
    assert.equal((await client.send(get('/fairlead/operations?container=db')).answer()).status, 404);
    assert.equal(ids((await client.send(get('/fairlead/operations?container=gone')).answer()).body), 'op2 op1');
    assert.equal(
      (await client.send(get('/v1.44/fairlead/operations')).answer()).body,
      '{"message":"page not found"}\n',
    );
  });

  it('follows all, or those of one container, until the client leaves', async () => {
    await using scene = await apiScene(parts().routes);
    await scene.connect().send(get('/fairlead/operation-feed')).until('"Id":"any"');
    const client = scene.connect().send(get('/fairlead/operation-feed?container=web'));
    await client.until('"Id":"web"');
    client.halfClose();
    assert.match((await client.toEnd()).toString(), /0\r\n\r\n$/);
    await scene.connect().send(get('/fairlead/operation-feed?container=to-come')).until('"Id":"to-come"');
    assert.deepEqual(scene.logged, []);
  });

  it('shows one', async () => {
    await using scene = await apiScene(parts().routes);
    const client = scene.connect();
    assert.match((await client.send(get('/fairlead/operations/op1')).answer()).body, /^\{"Id":"op1"/);
    const missing = await client.send(get('/fairlead/operations/op9')).answer();
    assert.equal(missing.body, '{"message":"No such operation: op9"}\n');
  });

  it('waits for one: head at once, document when it is done', async () => {
    const { done, routes } = parts();
    await using scene = await apiScene(routes);
    const client = scene.connect().send(get('/fairlead/operations/op1/wait'));
    await client.until('\r\n\r\n');
    assert.equal(client.pending.length, 0);
    done.resolve({ ...operation('op1', 'c1'), Phase: 'done' });
    assert.match(await client.until('0\r\n\r\n'), /"Phase":"done"/);
    assert.equal((await client.send(get('/fairlead/operations/op9/wait')).answer()).status, 404);
  });

  it('follows one: a document per phase', async () => {
    const { done, routes } = parts();
    await using scene = await apiScene(routes);
    const client = scene.connect().send(get('/fairlead/operations/op1/wait?phases=1'));
    await client.until('"Phase":"grace"');
    done.resolve({ ...operation('op1', 'c1'), Phase: 'done' });
    assert.match(await client.until('0\r\n\r\n'), /"Phase":"done"/);
    assert.equal((await client.send(get('/fairlead/operations/op9/wait?phases=1')).answer()).status, 404);
  });

  it('lets a waiter leave', async () => {
    await using scene = await apiScene(parts().routes);
    const client = scene.connect().send(get('/fairlead/operations/op1/wait'));
    await client.until('\r\n\r\n');
    client.halfClose();
    assert.equal((await client.toEnd()).toString(), '0\r\n\r\n');
    assert.deepEqual(scene.logged, []);
  });
});
