import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { askedMounts, plainMounts } from './mount-points.ts';
import { checkProcMounts } from './proc-mounts.ts';
import { hostConfigWith } from './spec-request.fixture.ts';

describe('checkProcMounts', () => {
  const check = (binds: readonly string[]): void =>
    checkProcMounts(plainMounts(askedMounts(hostConfigWith({ Binds: binds }))));

  for (const bind of ['/a:/b', '/a:/processes', '/proc:/proc', '/var/lib/lxcfs/cpuinfo:/proc/cpuinfo']) {
    it(`lets ${bind} pass`, () => check([bind]));
  }

  for (const target of ['/proc/sys', '/proc//sys', '/x/../proc/self/attr']) {
    it(`refuses what lies inside: ${target}`, () => {
      assert.throws(() => check(['/b:/c', `/a:${target}`]), {
        kind: 'internal',
        message: /because it is inside \/proc$/,
      });
    });
  }

  it('refuses another file system in its place', () => {
    assert.throws(() => check(['/a:/proc']), { message: '"/proc" cannot be mounted because it is not of type proc' });
  });
});
