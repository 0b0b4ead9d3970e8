import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { API_VERSION } from '@fairlead/protocol';
import type { HostFacts } from '../spec/host-facts.ts';
import { systemInfo } from './info.ts';
import type { SystemCounts, SystemFacts } from './system-facts.ts';
import { versionInfo } from './version.ts';

const host: HostFacts = {
  architecture: 'amd64',
  kernel: { major: 6, minor: 1 },
  cpuCount: 2,
  onlineCpus: '0-1',
  onlineMemoryNodes: '0',
  memoryBytes: 4_000_000_000,
  cgroupVersion: 1,
  cgroups: {
    memory: true,
    swap: false,
    memoryReservation: true,
    memorySwappiness: true,
    oomKillDisable: true,
    cpuShares: true,
    cpuQuota: true,
    cpuset: true,
    pids: true,
    blkioWeight: true,
    blkioWeightDevice: true,
    blkioReadBps: true,
    blkioWriteBps: true,
    blkioReadIops: true,
    blkioWriteIops: true,
    cpuRealtime: true,
    kernelMemoryTcp: true,
  },
  cgroupNamespaces: true,
  capabilities: [],
  unprivilegedPorts: true,
  unprivilegedPing: true,
  appArmor: false,
  recursiveReadOnly: true,
  additionalMaskedPaths: [],
};

const facts: SystemFacts = {
  engineId: 'e',
  engineVersion: '0.1.0',
  gitCommit: 'abc',
  buildTime: '',
  nodeVersion: 'v24.21.0',
  hostName: 'box',
  kernelRelease: '6.1.0-9-amd64',
  operatingSystem: 'Debian GNU/Linux 12 (bookworm)',
  osVersion: '12',
  host,
  ipv4Forwarding: true,
  rootDir: '/var/lib/fairlead',
  storageDriver: 'overlay2',
  storageStatus: [['Backing Filesystem', 'extfs']],
  cgroupDriver: 'cgroupfs',
  runtimes: [
    { name: 'crun', path: '/usr/bin/crun', version: '1.8.1' },
    { name: 'runc', path: '/usr/sbin/runc', version: '1.1.5' },
  ],
  monitor: { name: 'container-keeper', path: '/k', version: '0.1.0' },
  init: undefined,
  seccomp: true,
  killConfirmMs: 10_000,
  warnings: ['crun does not run here'],
};

const counts: SystemCounts = {
  running: 2,
  paused: 1,
  stopped: 4,
  images: 3,
  eventListeners: 1,
  descriptors: 20,
  now: new Date('2026-01-02T03:04:05.006Z'),
};

describe('systemInfo', () => {
  const info = systemInfo(facts, counts);

  it('counts every container once', () => {
    assert.equal(info.Containers, info.ContainersRunning + info.ContainersPaused + info.ContainersStopped);
    assert.equal(info.Containers, 7);
  });

  it('has objects where the docker CLI dereferences', () => {
    for (const field of ['Swarm', 'RegistryConfig', 'Plugins', 'Runtimes', 'InitCommit'] as const) {
      assert.equal(typeof info[field], 'object');
      assert.notEqual(info[field], null);
    }
  });

  it('says the machine in uname’s words, and the runtime that is used', () => {
    assert.equal(info.Architecture, 'x86_64');
    assert.equal(info.DefaultRuntime, 'crun');
    assert.deepEqual(info.Runtimes, { crun: { path: '/usr/bin/crun' }, runc: { path: '/usr/sbin/runc' } });
  });

  it('says what this host cannot do, and how long a kill may take', () => {
    assert.equal(info.SwapLimit, false);
    assert.deepEqual(info.Warnings, ['crun does not run here']);
    assert.equal(info.KillConfirmMs, 10_000);
    assert.deepEqual(info.SecurityOptions, ['name=seccomp,profile=builtin', 'name=cgroupns']);
  });
});

describe('versionInfo', () => {
  it('has what clients negotiate by, and only text in the details', () => {
    const version = versionInfo(facts);
    assert.equal(version.ApiVersion, API_VERSION);
    assert.deepEqual(
      version.Components.map(({ Name, Version }) => `${Name} ${Version}`),
      ['Engine 0.1.0', 'crun 1.8.1', 'container-keeper 0.1.0'],
    );
    for (const { Details } of version.Components) {
      for (const value of Object.values(Details)) assert.equal(typeof value, 'string');
    }
  });
});
