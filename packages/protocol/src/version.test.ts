import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  acceptVersion,
  API_VERSION,
  compareVersions,
  negotiateVersion,
  splitVersionPrefix,
  versionAtLeast,
} from './version.ts';

describe('versions', () => {
  it('are compared as numbers', () => {
    assert.ok(compareVersions('1.9', '1.41') < 0);
    assert.ok(compareVersions('1.41', '1.5') > 0);
    assert.equal(compareVersions('1.41', '1.41.0'), 0);
    assert.equal(versionAtLeast('1.42', '1.42'), true);
  });

  const paths: readonly (readonly [string, string | undefined, string])[] = [
    ['/v1.41/info', '1.41', '/info'],
    ['/info', undefined, '/info'],
    ['/vx/info', undefined, '/vx/info'],
    ['/v1.41', '1.41', '/'],
    ['/version', undefined, '/version'],
    ['/v1.41x/info', undefined, '/v1.41x/info'],
    ['/v1/containers/v1.2/json', '1', '/containers/v1.2/json'],
  ];
  for (const [path, version, rest] of paths) {
    it(`are taken off ${path}`, () => assert.deepEqual(splitVersionPrefix(path), { version, path: rest }));
  }

  it('are refused with Docker’s words when they are too new or too old', () => {
    assert.throws(() => acceptVersion('1.99'), {
      kind: 'invalid-argument',
      message: 'client version 1.99 is too new. Maximum supported API version is 1.44',
    });
    assert.throws(() => acceptVersion('1.11'), {
      kind: 'invalid-argument',
      message:
        'client version 1.11 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version',
    });
    assert.deepEqual(
      [acceptVersion(undefined), acceptVersion('1.24'), acceptVersion('1.44')],
      [API_VERSION, '1.24', '1.44'],
    );
  });

  it('are settled on the older of both sides; an engine that says nothing speaks 1.24', () => {
    assert.equal(negotiateVersion('1.50', '1.44'), '1.44');
    assert.equal(negotiateVersion('1.40', '1.44'), '1.40');
    assert.equal(negotiateVersion('1.40', undefined), '1.24');
    assert.equal(negotiateVersion('1.40', ''), '1.24');
  });
});
