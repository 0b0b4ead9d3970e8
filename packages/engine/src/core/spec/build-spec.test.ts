import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { buildSpec, cgroupsPathOf, NOTHING_JOINED, type SpecRequest } from './build-spec.ts';
import { DEFAULT_CAPABILITIES, KNOWN_CAPABILITIES } from './capabilities.ts';
import { plainMounts } from './mount-points.ts';
import type { OciMount, OciSeccomp, OciSpec } from './oci.ts';
import { ABILITIES, configWith, FACTS, hostConfigWith, networksWith } from './spec-request.fixture.ts';
import { validateCreate } from './validate-create.ts';

const ID = 'a'.repeat(64);
const SECCOMP: OciSeccomp = { defaultAction: 'SCMP_ACT_ERRNO' };

function specOf(
  parts: { config?: object; hostConfig?: object; request?: Partial<SpecRequest>; facts?: object } = {},
): OciSpec {
  const facts = { ...FACTS, ...parts.facts };
  const { config, hostConfig, mounts } = validateCreate(
    { facts, abilities: ABILITIES },
    {
      config: configWith(parts.config),
      hostConfig: hostConfigWith(parts.hostConfig),
      networkingConfig: networksWith(),
      image: {},
    },
  );
  return buildSpec(
    { facts, defaultSeccomp: () => SECCOMP },
    {
      id: ID,
      config: { ...config, Hostname: config.Hostname || 'abc' },
      hostConfig,
      user: { uid: 0, gid: 0, additionalGids: [0], home: '/root' },
      rootfsPath: '/rootfs',
      mounts: plainMounts(mounts),
      volumePath: (name) => `/volumes/${name}`,
      joined: NOTHING_JOINED,
      etcPaths: { hostname: '/f/hostname', hosts: '/f/hosts', resolvConf: '/f/resolv.conf' },
      initPath: '/usr/bin/tini-static',
      mappedDevices: [],
      blockDevices: new Map(),
      linkedEnvironment: [],
      hostDevices: [],
      ...parts.request,
    },
  );
}

function mountAt(spec: OciSpec, destination: string): OciMount | undefined {
  return spec.mounts.find((mount) => mount.destination === destination);
}

describe('buildSpec', () => {
  it("gives a plain container Docker's defaults", () => {
    const spec = specOf();
    assert.deepEqual(spec.process.args, ['true']);
    assert.deepEqual(spec.process.env, [
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      'HOSTNAME=abc',
      'HOME=/root',
    ]);
    assert.equal(spec.process.cwd, '/');
    assert.deepEqual(spec.process.capabilities?.bounding, DEFAULT_CAPABILITIES);
    assert.equal(spec.process.capabilities?.inheritable, undefined);
    assert.equal(spec.process.noNewPrivileges, false);
    assert.deepEqual(
      spec.linux.namespaces.map((namespace) => namespace.type),
      ['mount', 'network', 'uts', 'pid', 'ipc'],
    );
    assert.equal(spec.linux.cgroupsPath, `/fairlead/${ID}`);
    assert.equal(spec.linux.seccomp, SECCOMP);
    assert.ok(spec.linux.maskedPaths?.includes('/proc/kcore'));
    assert.ok(spec.linux.readonlyPaths?.includes('/proc/sys'));
    assert.deepEqual(spec.linux.sysctl, {
      'net.ipv4.ping_group_range': '0 2147483647',
      'net.ipv4.ip_unprivileged_port_start': '0',
    });
    assert.deepEqual(
      spec.mounts.map((mount) => mount.destination),
      [
        '/proc',
        '/dev',
        '/dev/pts',
        '/sys',
        '/sys/fs/cgroup',
        '/dev/mqueue',
        '/dev/shm',
        '/etc/resolv.conf',
        '/etc/hostname',
        '/etc/hosts',
      ],
    );
    assert.ok(mountAt(spec, '/dev/shm')?.options?.includes('size=67108864'));
    assert.deepEqual(spec.linux.resources?.devices?.[0], { allow: false, access: 'rwm' });
    assert.deepEqual(spec.linux.resources?.memory, {});
    assert.equal(spec.linux.resources?.pids, undefined);
  });

  it('gives a privileged container everything', () => {
    const device = { type: 'c', path: '/dev/kvm', major: 10, minor: 232 } as const;
    const spec = specOf({ hostConfig: { Privileged: true }, request: { hostDevices: [device] } });
    assert.deepEqual(spec.process.capabilities?.effective, KNOWN_CAPABILITIES);
    assert.deepEqual(spec.linux.maskedPaths, []);
    assert.deepEqual(spec.linux.readonlyPaths, []);
    assert.equal(spec.linux.seccomp, undefined);
    assert.ok(!mountAt(spec, '/sys')?.options?.includes('ro'));
    assert.ok(!mountAt(spec, '/sys/fs/cgroup')?.options?.includes('ro'));
    assert.deepEqual(spec.linux.devices, [device]);
    assert.deepEqual(spec.linux.resources?.devices, [{ allow: true, access: 'rwm' }]);
  });

  it('runs the command under init when asked, and never in the host pid namespace', () => {
    const spec = specOf({ hostConfig: { Init: true } });
    assert.deepEqual(spec.process.args, ['/sbin/docker-init', '--', 'true']);
    assert.deepEqual(mountAt(spec, '/sbin/docker-init'), {
      destination: '/sbin/docker-init',
      type: 'bind',
      source: '/usr/bin/tini-static',
      options: ['bind', 'ro'],
    });
    assert.deepEqual(specOf({ hostConfig: { Init: true, PidMode: 'host' } }).process.args, ['true']);
  });

  it('lets mounts of the user replace its own and come in order of depth', () => {
    const spec = specOf({
      hostConfig: {
        Binds: ['/srv/a:/data/deep', '/srv/etc:/etc:ro', '/srv/hosts:/etc/hosts'],
        Tmpfs: { '/dev/shm': 'size=1m,exec' },
      },
    });
    const destinations = spec.mounts.map((mount) => mount.destination);
    assert.ok(destinations.indexOf('/etc') < destinations.indexOf('/etc/resolv.conf'));
    assert.equal(destinations.filter((path) => path === '/etc/hosts').length, 1);
    assert.equal(mountAt(spec, '/etc/hosts')?.source, '/srv/hosts');
    assert.deepEqual(mountAt(spec, '/etc')?.options, ['rbind', 'rro', 'rprivate']);
    assert.deepEqual(mountAt(spec, '/dev/shm')?.options, ['nosuid', 'nodev', 'rprivate', 'size=1m', 'exec']);
  });

  it('drops everything under /dev when the user mounts /dev', () => {
    const spec = specOf({ hostConfig: { Binds: ['/dev:/dev'] } });
    assert.deepEqual(
      spec.mounts.filter((mount) => mount.destination.startsWith('/dev')).map((mount) => mount.type),
      ['bind'],
    );
  });

  it('makes a read-only root read-only but for what must be writable', () => {
    const spec = specOf({ hostConfig: { ReadonlyRootfs: true, Tmpfs: { '/run': '' } } });
    assert.equal(spec.root.readonly, true);
    assert.ok(!mountAt(spec, '/dev/shm')?.options?.includes('ro'));
    assert.ok(mountAt(spec, '/etc/hosts')?.options?.includes('ro'));
    assert.ok(!mountAt(spec, '/run')?.options?.includes('ro'));
  });

  const resources = [
    {
      name: 'memory',
      hostConfig: { Memory: 16777216 },
      expected: { memory: { limit: 16777216, swap: 33554432 }, cpu: {} },
    },
    {
      name: 'memory without swap limit',
      hostConfig: { Memory: 16777216, MemorySwap: -1 },
      expected: { memory: { limit: 16777216 }, cpu: {} },
    },
    {
      name: 'half a CPU',
      hostConfig: { NanoCpus: 5e8 },
      expected: { memory: {}, cpu: { period: 100000, quota: 50000 } },
    },
    {
      name: 'shares and cpuset',
      hostConfig: { CpuShares: 1, CpusetCpus: '0-1' },
      expected: { memory: {}, cpu: { shares: 2, cpus: '0-1' } },
    },
    { name: 'pids', hostConfig: { PidsLimit: 7 }, expected: { memory: {}, cpu: {}, pids: { limit: 7 } } },
    { name: 'no pids limit', hostConfig: { PidsLimit: -1 }, expected: { memory: {}, cpu: {} } },
  ];
  for (const { name, hostConfig, expected } of resources) {
    it(`limits ${name}`, () => {
      const { devices: _rules, ...found } = specOf({ hostConfig }).linux.resources ?? {};
      assert.deepEqual(found, expected);
    });
  }

  const namespaces = [
    { hostConfig: { NetworkMode: 'host' }, missing: 'network' },
    { hostConfig: { PidMode: 'host' }, missing: 'pid' },
    { hostConfig: { IpcMode: 'host' }, missing: 'ipc' },
    { hostConfig: { UTSMode: 'host' }, missing: 'uts' },
  ];
  for (const { hostConfig, missing } of namespaces) {
    it(`shares the ${missing} namespace with ${JSON.stringify(hostConfig)}`, () => {
      const spec = specOf({ hostConfig });
      assert.ok(!spec.linux.namespaces.some((namespace) => namespace.type === missing));
      assert.equal('hostname' in spec, missing !== 'uts');
    });
  }

  it('sets no network sysctls in the network of the host', () => {
    assert.deepEqual(specOf({ hostConfig: { NetworkMode: 'host' } }).linux.sysctl, {});
  });

  it('has a cgroup namespace of its own on cgroup v2', () => {
    const spec = specOf({ facts: { cgroupVersion: 2 } });
    assert.ok(spec.linux.namespaces.some((namespace) => namespace.type === 'cgroup'));
  });

  it('writes an unlimited ulimit as the number that the kernel means by it', () => {
    const { rlimits } = specOf({ hostConfig: { Ulimits: [{ Name: 'memlock', Soft: -1, Hard: -1 }] } }).process;
    assert.equal(
      JSON.stringify(rlimits),
      '[{"type":"RLIMIT_MEMLOCK","soft":18446744073709551615,"hard":18446744073709551615}]',
    );
  });

  it('gives a terminal TERM and its size', () => {
    const { process } = specOf({ config: { Tty: true }, hostConfig: { ConsoleSize: [24, 80] } });
    assert.equal(process.terminal, true);
    assert.ok(process.env.includes('TERM=xterm'));
    assert.deepEqual(process.consoleSize, { height: 24, width: 80 });
  });

  it('lets the config override and remove variables', () => {
    const { env } = specOf({ config: { Env: ['PATH=/x', 'A=1', 'HOSTNAME', 'HOME=/h', 'A=2'] } }).process;
    assert.deepEqual(env, ['PATH=/x', 'A=2', 'HOME=/h']);
  });

  it('filters nothing with seccomp=unconfined, and by a given profile', () => {
    assert.equal(specOf({ hostConfig: { SecurityOpt: ['seccomp=unconfined'] } }).linux.seccomp, undefined);
    const profile = '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"mkdir","action":"SCMP_ACT_ERRNO"}]}';
    const spec = specOf({ hostConfig: { SecurityOpt: [`seccomp=${profile}`, 'no-new-privileges'] } });
    assert.deepEqual(spec.linux.seccomp, {
      defaultAction: 'SCMP_ACT_ALLOW',
      architectures: [],
      syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_ERRNO' }],
    });
    assert.equal(spec.process.noNewPrivileges, true);
  });

  it('allows mapped devices and rules', () => {
    const device = { type: 'c', path: '/dev/fuse', major: 10, minor: 229 } as const;
    const spec = specOf({
      hostConfig: { DeviceCgroupRules: ['b 8:* r'] },
      request: { mappedDevices: [{ device, access: 'rw' }] },
    });
    assert.deepEqual(spec.linux.devices, [device]);
    assert.deepEqual(spec.linux.resources?.devices?.slice(-2), [
      { allow: true, type: 'c', major: 10, minor: 229, access: 'rw' },
      { allow: true, type: 'b', major: 8, access: 'r' },
    ]);
  });

  it('keeps the cgroup below the root, whatever the parent', () => {
    assert.equal(cgroupsPathOf('c1', hostConfigWith({ CgroupParent: '../../x' })), '/x/c1');
    assert.equal(cgroupsPathOf('c1', hostConfigWith({ CgroupParent: '/jobs/' })), '/jobs/c1');
  });

  it('sets the domain name by sysctl', () => {
    assert.equal(specOf({ config: { Domainname: 'example.org' } }).linux.sysctl?.['kernel.domainname'], 'example.org');
  });
});
