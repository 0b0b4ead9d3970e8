import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BODY_SCHEMAS, decodeBody, type CreateContainerBody } from '@fairlead/protocol';
import { createBodyOf } from './older-create.ts';

function body(fields: object): CreateContainerBody {
  return decodeBody(BODY_SCHEMAS['create container'], JSON.stringify(fields));
}

const NEW = body({
  Healthcheck: { Test: ['NONE'], StartInterval: 5 },
  HostConfig: {
    AutoRemove: true,
    KernelMemoryTCP: 7,
    ConsoleSize: [20, 80],
    Annotations: { a: 'b' },
    Mounts: [
      { Type: 'bind', Source: '/a', Target: '/a', BindOptions: { CreateMountpoint: true, NonRecursive: true } },
      { Type: 'bind', Source: '/b', Target: '/b', VolumeOptions: {}, TmpfsOptions: {} },
      { Type: 'bind', Source: '/c', Target: '/c', BindOptions: { ReadOnlyNonRecursive: true } },
    ],
  },
});

describe('createBodyOf', () => {
  it('changes nothing for a client of today', () => assert.deepEqual(createBodyOf(NEW, '1.44'), NEW));

  const ignored: readonly { readonly until: string; readonly from: string; readonly path: readonly string[] }[] = [
    { until: '1.24', from: '1.25', path: ['HostConfig', 'AutoRemove'] },
    { until: '1.39', from: '1.40', path: ['HostConfig', 'KernelMemoryTCP'] },
    { until: '1.39', from: '1.40', path: ['HostConfig', 'IpcMode'] },
    { until: '1.41', from: '1.42', path: ['HostConfig', 'ConsoleSize'] },
    { until: '1.39', from: '1.42', path: ['HostConfig', 'Mounts', '0', 'BindOptions'] },
    { until: '1.41', from: '1.42', path: ['HostConfig', 'Mounts', '1', 'VolumeOptions'] },
    { until: '1.41', from: '1.42', path: ['HostConfig', 'Mounts', '1', 'TmpfsOptions'] },
    { until: '1.43', from: '1.44', path: ['HostConfig', 'Mounts', '2', 'BindOptions'] },
    { until: '1.42', from: '1.43', path: ['HostConfig', 'Annotations'] },
    { until: '1.43', from: '1.44', path: ['Healthcheck', 'StartInterval'] },
  ];
  for (const { until, from, path } of ignored) {
    it(`takes ${path.join('.')} as it is since ${from}`, () => {
      assert.deepEqual(at(createBodyOf(NEW, from), path), at(NEW, path));
      assert.notDeepEqual(at(createBodyOf(NEW, until), path), at(NEW, path));
    });
  }

  it('lets older clients share IPC unless they say how', () => {
    assert.equal(createBodyOf(NEW, '1.39').HostConfig.IpcMode, 'shareable');
    assert.equal(createBodyOf(body({ HostConfig: { IpcMode: 'none' } }), '1.39').HostConfig.IpcMode, 'none');
  });

  it('refuses what an older engine would not have done, and must be done', () => {
    const forced = { Type: 'bind', Source: '/a', Target: '/a', BindOptions: { ReadOnlyForceRecursive: true } };
    assert.throws(() => createBodyOf(body({ HostConfig: { Mounts: [forced] } }), '1.43'), {
      kind: 'invalid-argument',
      message: 'BindOptions.ReadOnlyForceRecursive needs API v1.44 or newer',
    });
  });
});

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce((inner: unknown, key) => (inner as Readonly<Record<string, unknown>>)[key], value);
}
