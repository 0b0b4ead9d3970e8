import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isLoopback, isSafeOnNetwork, natsVersion, refuseUnsafeListener } from './nats-version.ts';

describe('natsVersion', () => {
  it('reads what nats-server --version prints', () => {
    assert.equal(natsVersion('nats-server: v2.9.10\n'), '2.9.10');
  });
  it('refuses what is no version, and what is too old', () => {
    assert.throws(() => natsVersion('hello'), { kind: 'unavailable' });
    assert.throws(() => natsVersion('nats-server: v2.8.4'), { kind: 'unavailable' });
  });
});

describe('isSafeOnNetwork', () => {
  const cases: readonly (readonly [string, boolean])[] = [
    ['2.9.10', false],
    ['2.10.99', false],
    ['2.11.15', false],
    ['2.11.16', true],
    ['2.12.6', false],
    ['2.12.7', true],
    ['2.13.0', true],
    ['3.0.0', true],
  ];
  for (const [version, safe] of cases) {
    it(`${version}: ${safe ? 'yes' : 'no'}`, () => assert.equal(isSafeOnNetwork(version), safe));
  }
});

describe('refuseUnsafeListener', () => {
  it('lets an old version listen on loopback and nowhere else', () => {
    refuseUnsafeListener('2.9.10', '127.0.0.1');
    for (const host of ['0.0.0.0', '::', '10.0.0.1', 'hub.example', '127.evil.example']) {
      assert.throws(() => refuseUnsafeListener('2.9.10', host), { kind: 'forbidden' }, host);
    }
    refuseUnsafeListener('2.12.7', '0.0.0.0');
  });
});

describe('isLoopback', () => {
  it('knows loopback in all its forms', () => {
    for (const host of ['127.0.0.1', '127.1.2.3', 'localhost', '::1', '[::1]']) assert.ok(isLoopback(host), host);
  });
});
