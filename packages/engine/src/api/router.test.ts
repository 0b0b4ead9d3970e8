import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { isEngineError, type Method } from '@fairlead/protocol';
import { parseTarget, Router } from './router.ts';

interface Row {
  readonly method: Method;
  readonly path: string;
  readonly unversioned?: true;
}

const rows: readonly Row[] = [
  { method: 'GET', path: '/containers/json' },
  { method: 'GET', path: '/containers/{id}/json' },
  { method: 'GET', path: '/images/json' },
  { method: 'GET', path: '/images/get' },
  { method: 'GET', path: '/images/{name...}/json' },
  { method: 'GET', path: '/images/{name...}/get' },
  { method: 'DELETE', path: '/images/{name...}' },
  { method: 'GET', path: '/fairlead/operations', unversioned: true },
];

describe('Router', () => {
  const router = new Router(rows);
  const cases = [
    { target: '/containers/json', path: '/containers/json' },
    { target: '/v1.44/containers/json?all=1', path: '/containers/json' },
    { target: '/containers/web/json', path: '/containers/{id}/json', params: { id: 'web' } },
    { target: '/containers//web/json', path: '/containers/{id}/json', params: { id: 'web' } },
    { target: '/containers/%2Fweb/json', path: '/containers/{id}/json', params: { id: 'web' } },
    { target: '/containers/a%20b/json', path: '/containers/{id}/json', params: { id: 'a b' } },
    { target: '/containers/json/json', path: '/containers/{id}/json', params: { id: 'json' } },
    { target: '/containers/a/b/json', path: undefined },
    { target: '/containers/../secrets', path: undefined },
    { target: '/containers/..%2F..%2Fx/json', path: undefined },
    { target: '/containers/json/', path: '/containers/json' },
    { target: '/v1.44//containers/json', path: '/containers/json' },
    { target: 'http://docker/v1.44/containers/json', path: '/containers/json' },
    { target: '/images/json', path: '/images/json' },
    { target: '/images/busybox/json', path: '/images/{name...}/json', params: { name: 'busybox' } },
    {
      target: '/images/docker.io/library/busybox:1/json',
      path: '/images/{name...}/json',
      params: { name: 'docker.io/library/busybox:1' },
    },
    {
      target: '/images/docker.io%2Flibrary%2Fbusybox/json',
      path: '/images/{name...}/json',
      params: { name: 'docker.io/library/busybox' },
    },
    { target: '/images/get/get', path: '/images/{name...}/get', params: { name: 'get' } },
    { target: '/fairlead/operations', path: '/fairlead/operations' },
    { target: '/v1.44/fairlead/operations', path: undefined },
    { target: '/', path: undefined },
    { target: '', path: undefined },
    { target: '*', path: undefined },
  ];
  for (const { target, path, params = {} } of cases) {
    it(`${target} → ${path ?? 'nothing'}`, () => {
      const match = router.match('GET', parseTarget(target));
      assert.equal(match?.row.path, path);
      if (path !== undefined) assert.deepEqual(Object.fromEntries(match?.params ?? []), params);
    });
  }

  it('keeps methods apart', () => {
    assert.equal(router.match('DELETE', parseTarget('/images/a/b'))?.params.get('name'), 'a/b');
    assert.equal(router.match('POST', parseTarget('/images/json')), undefined);
    assert.equal(router.match('__proto__', parseTarget('/images/json')), undefined);
  });

  it('refuses a table with two rows for the same path', () => {
    const twice = [...rows, { method: 'GET' as const, path: '/containers/{name}/json' }];
    assert.throws(() => new Router(twice), /there are two rows for it/);
  });
});

describe('parseTarget', () => {
  it('refuses a broken escape', () => {
    assert.throws(
      () => parseTarget('/a%f'),
      (error) => isEngineError(error) && error.kind === 'invalid-argument',
    );
  });

  it('leaves no dot segments and no empty ones, whatever it is given', () => {
    const piece = fc.constantFrom('/', '//', '.', '..', 'a', '%2F', '%2e', '%2E%2e', '?', 'v1.44', 'é', '%25');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const { segments } = parseTarget(`/${pieces.join('')}`);
        for (const segment of segments) {
          assert.ok(
            segment !== '' && segment !== '.' && segment !== '..' && !segment.includes('/'),
            segments.join('|'),
          );
        }
      }),
    );
  });
});
