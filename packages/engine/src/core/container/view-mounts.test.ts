import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BindMountPoint, MountPoint } from '../spec/mount-points.ts';
import { viewMounts, whyReadOnly } from './view-mounts.ts';

const etc = { hosts: '/c/hosts', hostname: '/c/hostname', resolvConf: '/c/resolv.conf' };

function bind(facts: Partial<BindMountPoint> & { readonly target: string }): BindMountPoint {
  return {
    kind: 'bind',
    source: '/src',
    mode: '',
    readOnly: false,
    propagation: 'rprivate',
    nonRecursive: false,
    readOnlyBelow: 'if-possible',
    missingSource: 'create',
    ...facts,
  };
}

const tmpfs: MountPoint = { kind: 'tmpfs', target: '/data/tmp', options: [], origin: 'tmpfs' };

describe('viewMounts', () => {
  const places = { etc, volumePath: (name: string) => `/volumes/${name}` };

  it('mounts outer places first, and the engine’s files over a bind around them', () => {
    const points = [bind({ target: '/data/a/b' }), tmpfs, bind({ target: '/etc', readOnly: true })];
    assert.deepEqual(
      viewMounts(points, places).map(({ kind, target }) => `${kind} ${target}`),
      [
        'bind /etc',
        'bind /etc/hosts',
        'bind /etc/hostname',
        'bind /etc/resolv.conf',
        'tmpfs /data/tmp',
        'bind /data/a/b',
      ],
    );
  });

  it('leaves out the engine’s file where the user has one, and those that were not written', () => {
    const mounts = viewMounts([bind({ target: '/etc/hosts' })], { ...places, etc: { hosts: '/c/hosts' } });
    assert.deepEqual(
      mounts.map((mount) => mount.kind === 'bind' && mount.source),
      ['/src'],
    );
  });

  it('says how deep read-only goes, and where a volume is', () => {
    const points: MountPoint[] = [
      bind({ target: '/a', readOnly: true }),
      bind({ target: '/b', readOnly: true, readOnlyBelow: 'never', nonRecursive: true }),
      { kind: 'volume', name: 'v', target: '/v', mode: 'z', readOnly: false, anonymous: false },
    ];
    assert.deepEqual(viewMounts(points, { ...places, etc: {} }), [
      { kind: 'bind', source: '/src', target: '/a', recursive: true, readOnly: 'all-below' },
      { kind: 'bind', source: '/src', target: '/b', recursive: false, readOnly: 'itself' },
      { kind: 'bind', source: '/volumes/v', target: '/v', recursive: true, readOnly: 'no' },
    ]);
  });
});

describe('whyReadOnly', () => {
  const points = [
    bind({ target: '/data' }),
    tmpfs,
    bind({ target: '/ro', readOnly: true }),
    bind({ target: '/ro/rw' }),
  ];
  const cases = [
    { directory: '/x', readOnlyRoot: false, running: true, says: undefined },
    { directory: '/x', readOnlyRoot: true, running: true, says: 'container rootfs is marked read-only' },
    { directory: '/data/x', readOnlyRoot: true, running: true, says: undefined },
    { directory: '/database', readOnlyRoot: true, running: true, says: 'container rootfs is marked read-only' },
    { directory: '/ro', readOnlyRoot: false, running: true, says: 'mounted volume is marked read-only' },
    { directory: '/ro/rw/x', readOnlyRoot: false, running: true, says: undefined },
    { directory: '/data/tmp', readOnlyRoot: false, running: true, says: undefined },
    {
      directory: '/data/tmp/x',
      readOnlyRoot: false,
      running: false,
      says: 'the tmpfs at /data/tmp is there only while the container runs',
    },
  ];
  for (const { directory, says, ...container } of cases) {
    const how = `${container.readOnlyRoot ? 'read-only' : 'writable'}, ${container.running ? 'running' : 'stopped'}`;
    it(`${directory} of a container (${how}): ${says ?? 'nothing'}`, () => {
      assert.equal(whyReadOnly(points, directory, container), says);
    });
  }
});
