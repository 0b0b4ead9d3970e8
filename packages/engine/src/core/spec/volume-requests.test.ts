import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { askedMounts, plainMounts } from './mount-points.ts';
import { hostConfigWith } from './spec-request.fixture.ts';
import { parseVolumesFrom, volumesOfConfig } from './volume-requests.ts';

describe('askedMounts', () => {
  const plain = {
    kind: 'volume-request',
    name: 'data',
    driver: '',
    driverOptions: {},
    labels: {},
    target: '/x',
    mode: 'z',
    readOnly: false,
    copy: true,
  };
  const cases = [
    { asked: { Binds: ['data:/x/'] }, expected: plain },
    { asked: { Binds: ['data:/x:ro,nocopy'] }, expected: { ...plain, mode: 'ro,nocopy', readOnly: true, copy: false } },
    { asked: { Binds: ['/x'] }, expected: { ...plain, name: '' } },
    { asked: { Binds: ['data:/x'], VolumeDriver: 'd' }, expected: { ...plain, driver: 'd' } },
    { asked: { Mounts: [{ Type: 'volume', Source: 'data', Target: '/x' }] }, expected: plain },
    { asked: { Mounts: [{ Type: 'volume', Target: '/x' }] }, expected: { ...plain, name: '' } },
    {
      asked: {
        Mounts: [
          {
            Type: 'volume',
            Source: 'data',
            Target: '/x',
            ReadOnly: true,
            VolumeOptions: {
              NoCopy: true,
              Labels: { a: 'b' },
              DriverConfig: { Name: 'local', Options: { type: 't' } },
            },
          },
        ],
      },
      expected: {
        ...plain,
        driver: 'local',
        driverOptions: { type: 't' },
        labels: { a: 'b' },
        readOnly: true,
        copy: false,
      },
    },
  ];
  for (const { asked, expected } of cases) {
    it(`takes ${JSON.stringify(asked)} for a volume`, () => {
      const mounts = askedMounts(hostConfigWith(asked));
      assert.deepEqual(mounts, [expected]);
      assert.deepEqual(plainMounts(mounts), []);
    });
  }
});

describe('volumesOfConfig', () => {
  it('has one volume for each place where nothing else is', () => {
    const volumes = { '/a': {}, '/b/': {}, '/b': {}, c: {}, '/taken': {} };
    const found = volumesOfConfig({ Volumes: volumes }, { VolumeDriver: '' }, new Set(['/taken']));
    assert.deepEqual(
      found.map(({ target, name, mode, copy }) => [target, name, mode, copy]),
      [
        ['/a', '', '', true],
        ['/b', '', '', true],
        ['/c', '', '', true],
      ],
    );
  });
});

describe('parseVolumesFrom', () => {
  const cases = [
    { text: 'web', expected: { container: 'web', readOnly: false } },
    { text: 'web:ro', expected: { container: 'web', readOnly: true } },
    { text: 'web:rw,z', expected: { container: 'web', readOnly: false } },
  ];
  for (const { text, expected } of cases) it(`takes ${text}`, () => assert.deepEqual(parseVolumesFrom(text), expected));
});
