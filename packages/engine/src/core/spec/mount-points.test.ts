import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { isEngineError } from '@fairlead/protocol';
import { parseBind } from './bind-spec.ts';
import { askedMounts, checkBindSources, plainMounts, sourcesToCreate } from './mount-points.ts';
import { cleanPath } from './paths.ts';
import { checkPropagation } from './propagation.ts';
import { hostConfigWith } from './spec-request.fixture.ts';
import { tmpfsOptions } from './tmpfs-options.ts';

describe('askedMounts', () => {
  it('makes missing sources of -v, and of --mount only when told to', () => {
    const points = askedMounts(
      hostConfigWith({
        Binds: ['/a/../b:/x/'],
        Mounts: [
          { Type: 'bind', Source: '/c', Target: '/y' },
          { Type: 'bind', Source: '/d', Target: '/z', BindOptions: { CreateMountpoint: true } },
          { Type: 'tmpfs', Target: '/t', ReadOnly: true, TmpfsOptions: { SizeBytes: 1024, Mode: 0o700 } },
        ],
      }),
    );
    assert.deepEqual(sourcesToCreate(points), ['/b', '/d']);
    assert.deepEqual(
      points.map((point) => point.target),
      ['/x', '/y', '/z', '/t'],
    );
    assert.deepEqual(points[3], {
      kind: 'tmpfs',
      target: '/t',
      options: ['noexec', 'nosuid', 'nodev', 'rprivate', 'ro', 'mode=700', 'size=1024'],
      origin: 'mount',
    });
  });

  it('misses the source of a --mount and not of a -v', async () => {
    const points = askedMounts(
      hostConfigWith({ Binds: ['/a:/x'], Mounts: [{ Type: 'bind', Source: '/b', Target: '/y' }] }),
    );
    await checkBindSources(points, async (path) => path === '/b');
    await assert.rejects(
      checkBindSources(points, async () => false),
      { message: 'invalid mount config for type "bind": bind source path does not exist: /b' },
    );
  });
});

describe('checkPropagation', () => {
  const mountInfo = [
    '1 0 8:1 / / rw,relatime - ext4 /dev/sda rw',
    '2 1 8:2 / /srv rw shared:5 - ext4 /dev/sdb rw',
    '3 1 8:3 / /a\\040b rw master:5 - ext4 /dev/sdc rw',
    '4 1 8:4 / /srv/priv rw - ext4 /dev/sdd rw',
    '',
  ].join('\n');
  const cases = [
    { bind: '/srv/x:/m:shared', refused: undefined },
    { bind: '/srv:/m:rslave', refused: undefined },
    { bind: '/a b/c:/m:slave', refused: undefined },
    { bind: '/home:/m', refused: undefined },
    { bind: '/home:/m:rprivate', refused: undefined },
    { bind: '/home:/m:rshared', refused: 'path /home is mounted on / but it is not a shared mount' },
    { bind: '/srvx:/m:slave', refused: 'path /srvx is mounted on / but it is not a shared or slave mount' },
    {
      bind: '/srv/priv/x:/m:slave',
      refused: 'path /srv/priv/x is mounted on /srv/priv but it is not a shared or slave mount',
    },
    { bind: '/a b:/m:shared', refused: 'path /a b is mounted on /a b but it is not a shared mount' },
  ];
  for (const { bind, refused } of cases) {
    it(`${refused === undefined ? 'takes' : 'refuses'} ${bind}`, () => {
      const check = (): void =>
        checkPropagation(plainMounts(askedMounts(hostConfigWith({ Binds: [bind] }))), mountInfo);
      if (refused === undefined) check();
      else assert.throws(check, { message: refused });
    });
  }
});

describe('parseBind', () => {
  const cases = [
    { text: '/a:/b', expected: { source: '/a', target: '/b', mode: '', readOnly: false, propagation: undefined } },
    { text: '/a:/b:ro', expected: { source: '/a', target: '/b', mode: 'ro', readOnly: true, propagation: undefined } },
    {
      text: '/a:/b:z,rslave,ro,cached',
      expected: { source: '/a', target: '/b', mode: 'z,rslave,ro,cached', readOnly: true, propagation: 'rslave' },
    },
    { text: '/b', expected: { source: undefined, target: '/b', mode: '', readOnly: false, propagation: undefined } },
  ];
  for (const { text, expected } of cases) it(`takes ${text}`, () => assert.deepEqual(parseBind(text), expected));

  for (const text of ['', ':', ':/b', '/a:', '/a:ro', '/a:/b:ro:x', '/a:/b:ro,ro', '/a:/b:z,Z', '/a:/b:shared,slave']) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => parseBind(text), { kind: 'invalid-argument' }));
  }

  it('answers any text with parts of it or an error of ours', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          const { source, target } = parseBind(text);
          assert.ok(text.startsWith(source === undefined ? target : `${source}:${target}`));
        } catch (error) {
          assert.ok(isEngineError(error), String(error));
        }
      }),
    );
  });
});

describe('tmpfsOptions', () => {
  const cases = [
    { text: '', expected: ['noexec', 'nosuid', 'nodev', 'rprivate'] },
    { text: 'exec,size=1m,size=2m', expected: ['nosuid', 'nodev', 'rprivate', 'exec', 'size=2m'] },
    { text: 'defaults,rslave,ro,rw', expected: ['noexec', 'nosuid', 'nodev', 'rslave', 'rw'] },
  ];
  for (const { text, expected } of cases)
    it(`takes ${JSON.stringify(text)}`, () => assert.deepEqual(tmpfsOptions(text), expected));

  for (const text of ['x', 'size', 'upperdir=/x', ',']) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => tmpfsOptions(text), { kind: 'invalid-argument' }));
  }
});

describe('cleanPath', () => {
  it('is absolute, has no empty or dotted part, and is clean already when cleaned again', () => {
    const part = fc.constantFrom('a', 'b', '.', '..', '', '...');
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const path = cleanPath(parts.join('/'));
        assert.match(path, /^\/$|^(\/(?!\.{0,2}(\/|$))[^/]+)+$/);
        assert.equal(cleanPath(path), path);
      }),
    );
  });
});
