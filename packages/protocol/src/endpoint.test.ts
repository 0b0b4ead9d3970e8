import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fillPath, type BodyInputOf, type BodyOf, type Endpoint, type QueryOf, type ResponseOf } from './endpoint.ts';
import { buildEndpoints } from './endpoints/build.ts';
import { containerEndpoints, type ContainerEndpoints } from './endpoints/containers.ts';
import { execEndpoints } from './endpoints/exec.ts';
import { fairleadEndpoints } from './endpoints/fairlead.ts';
import { imageEndpoints } from './endpoints/images.ts';
import { pruneEndpoints } from './endpoints/prune.ts';
import { registryEndpoints } from './endpoints/registry.ts';
import { resourceEndpoints } from './endpoints/resources.ts';
import { systemEndpoints } from './endpoints/system.ts';

const rows: readonly (readonly [string, Endpoint])[] = [
  buildEndpoints,
  containerEndpoints,
  execEndpoints,
  imageEndpoints,
  pruneEndpoints,
  registryEndpoints,
  resourceEndpoints,
  systemEndpoints,
  fairleadEndpoints,
].flatMap((table) => Object.entries<Endpoint>({ ...table }));

// Checked by the compiler: a row says what its parameters, its body and its answer are.
const query: QueryOf<ContainerEndpoints['stop']> = { t: 1000, signal: 'INT' };
const body: BodyInputOf<ContainerEndpoints['create']> = { Image: 'busybox', Cmd: 'ls' };
const decoded: BodyOf<ContainerEndpoints['create']>['Cmd'] = ['ls'];
const nothing: BodyOf<ContainerEndpoints['stop']> = undefined;
const answer: ResponseOf<ContainerEndpoints['wait']> = { StatusCode: 0 };
// @ts-expect-error -- stop has no such parameter
const wrong: QueryOf<ContainerEndpoints['stop']> = { grace: 1 };
// @ts-expect-error -- pause has no parameters at all
const none: QueryOf<ContainerEndpoints['pause']> = { t: 1 };

describe('the endpoint table', () => {
  it('has types', () => assert.ok([query, body, decoded, answer, wrong, none].every(Boolean) && nothing === undefined));

  it('has every method and path once', () => {
    const keys = rows.map(([, row]) => `${row.method} ${row.path}`);
    assert.equal(new Set(keys).size, keys.length);
  });

  it('keeps in the ledger exactly what changes something', () => {
    // There is nothing to prune of networks and builds yet.
    const reading = ['wait', 'attach', 'resize', 'networks', 'build'];
    for (const [name, row] of rows) {
      if (row.notServed === true) continue;
      const changes = (row.method === 'POST' || row.method === 'DELETE') && !reading.includes(name);
      assert.equal(row.operation !== undefined, changes, `${name} ${row.path}`);
    }
  });

  it('takes 304 for a result only where Docker answers it', () => {
    const names = rows.filter(([, row]) => row.success.includes(304)).map(([, row]) => row.path);
    assert.deepEqual(names, ['/containers/{id}/start', '/containers/{id}/stop']);
  });

  it('has versions for all but its own', () => {
    for (const [, row] of rows) assert.equal(row.unversioned === true, row.path.startsWith('/fairlead/'));
  });
});

describe('fillPath', () => {
  it('encodes what people call their containers', () => {
    assert.equal(fillPath('/containers/{id}/json', { id: '../x?y' }), '/containers/..%2Fx%3Fy/json');
  });

  it('keeps the slashes of an image', () => {
    assert.equal(fillPath('/images/{name...}/json', { name: 'a.io/b c/d:1' }), '/images/a.io/b%20c/d%3A1/json');
  });

  for (const name of ['', '.', '..']) {
    it(`refuses ${JSON.stringify(name)}, which would be another path`, () => {
      const words = { message: `invalid name or ID supplied: ${JSON.stringify(name)}` };
      assert.throws(() => fillPath('/containers/{id}', { id: name }), words);
      assert.throws(() => fillPath('/images/{name...}/json', { name }), words);
      assert.throws(() => fillPath('/images/{name...}/json', { name: `a/${name}` }), /^EngineError: invalid name/);
    });
  }
});
