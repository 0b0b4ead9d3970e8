import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isEngineError } from '@fairlead/protocol';
import { ABILITIES, configWith, FACTS, hostConfigWith, networksWith } from './spec-request.fixture.ts';
import { validateCreate, type ValidatedCreate } from './validate-create.ts';
import type { ImageRuntimeConfig } from '../image/record.ts';

interface Parts {
  readonly config?: object;
  readonly hostConfig?: object;
  readonly networks?: object;
  readonly image?: ImageRuntimeConfig;
  readonly facts?: object;
}

function validate(parts: Parts): ValidatedCreate {
  return validateCreate(
    { facts: { ...FACTS, ...parts.facts }, abilities: ABILITIES },
    {
      config: configWith(parts.config),
      hostConfig: hostConfigWith(parts.hostConfig),
      networkingConfig: networksWith(parts.networks),
      image: parts.image ?? {},
    },
  );
}

const MB = 1024 * 1024;

const invalid: readonly (Parts & { readonly words: string })[] = [
  { hostConfig: { Links: ['a:b:c'] }, words: 'bad format for links: a:b:c' },
  { hostConfig: { Links: [''] }, words: 'empty string specified for links' },
  {
    hostConfig: { StorageOpt: { size: '1g' } },
    words: "--storage-opt is supported only for overlay over xfs with 'pquota' mount option",
  },
  { config: { MacAddress: 'x' }, words: 'invalid MAC address: x' },
  {
    config: { MacAddress: '02:42:00:00:00:01' },
    hostConfig: { NetworkMode: 'host' },
    words: 'conflicting options: mac-address and the network mode',
  },
  {
    config: { MacAddress: '02:42:00:00:00:01' },
    networks: { default: { MacAddress: '02:42:00:00:00:02' } },
    words:
      'conflicting MAC address in request: the container-wide MAC address must match the endpoint-specific MAC address for the main network',
  },
  {
    hostConfig: { CpuRealtimePeriod: 1000, CpuRealtimeRuntime: 2000 },
    words: 'cpu real-time runtime cannot be higher than cpu real-time period',
  },
  { config: { Cmd: [] }, words: 'no command specified' },
  { config: { Entrypoint: [''], Cmd: null }, words: 'no command specified' },
  { config: { WorkingDir: 'x' }, words: "the working directory 'x' is invalid, it needs to be an absolute path" },
  { config: { StopSignal: 'SIGFOO' }, words: 'invalid signal: SIGFOO' },
  { config: { Env: ['=x'] }, words: 'invalid environment variable: =x' },
  { config: { Env: [''] }, words: 'invalid environment variable: ' },
  { config: { Hostname: 'x'.repeat(65) }, words: `invalid hostname: ${'x'.repeat(65)}` },
  { config: { Cmd: ['a\0b'] }, words: 'Config.Cmd.0 contains a NUL byte' },
  { hostConfig: { Binds: ['/etc\0/x:/m'] }, words: 'HostConfig.Binds.0 contains a NUL byte' },
  { hostConfig: { Memory: 1 * MB }, words: 'Minimum memory limit allowed is 6MB' },
  {
    hostConfig: { Memory: 20 * MB, MemorySwap: 10 * MB },
    words: 'Minimum memoryswap limit should be larger than memory limit, see usage',
  },
  {
    hostConfig: { MemorySwap: 10 * MB },
    words: 'You should always set the Memory limit when using Memoryswap limit, see usage',
  },
  { hostConfig: { MemorySwappiness: 101 }, words: 'Invalid value: 101, valid memory swappiness range is 0-100' },
  {
    hostConfig: { Memory: 20 * MB, MemoryReservation: 30 * MB },
    words: 'Minimum memory limit can not be less than memory reservation limit, see usage',
  },
  { hostConfig: { MemoryReservation: 1 }, words: 'Minimum memory reservation allowed is 6MB' },
  { hostConfig: { NanoCpus: 3e9 }, words: 'Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available' },
  { hostConfig: { NanoCpus: -1 }, words: 'Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available' },
  {
    hostConfig: { NanoCpus: 1e9, CpuQuota: 5000 },
    words: 'Conflicting options: Nano CPUs and CPU Quota cannot both be set',
  },
  {
    hostConfig: { NanoCpus: 1e9, CpuPeriod: 5000 },
    words: 'Conflicting options: Nano CPUs and CPU Period cannot both be set',
  },
  {
    hostConfig: { CpuPeriod: 10 },
    words: 'CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)',
  },
  { hostConfig: { CpuQuota: 10 }, words: 'CPU cfs quota can not be less than 1ms (i.e. 1000)' },
  { hostConfig: { CpuShares: -1 }, words: 'shares: invalid argument' },
  {
    hostConfig: { CpusetCpus: '0-99' },
    words: 'Requested CPUs are not available - requested 0-99, available: 0-1',
  },
  {
    hostConfig: { CpusetMems: '1' },
    words: 'Requested memory nodes are not available - requested 1, available: 0',
  },
  { hostConfig: { CpusetCpus: 'a' }, words: 'Invalid value a for cpuset cpus: invalid format: a' },
  { hostConfig: { CapAdd: ['BOGUS'] }, words: 'invalid CapAdd: unknown capability: "CAP_BOGUS"' },
  { hostConfig: { CapDrop: ['bogus'] }, words: 'invalid CapDrop: unknown capability: "CAP_BOGUS"' },
  {
    hostConfig: { CapAdd: ['SYS_ADMIN'] },
    facts: { capabilities: ['CAP_CHOWN'] },
    words:
      'invalid CapAdd: capability not supported by your kernel or not available in the current environment: "CAP_SYS_ADMIN"',
  },
  {
    hostConfig: { RestartPolicy: { Name: 'bogus' } },
    words:
      "invalid restart policy: unknown policy 'bogus'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'",
  },
  {
    hostConfig: { RestartPolicy: { Name: 'always', MaximumRetryCount: 3 } },
    words: "invalid restart policy: maximum retry count can only be used with 'on-failure'",
  },
  {
    hostConfig: { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: -1 } },
    words: 'invalid restart policy: maximum retry count cannot be negative',
  },
  {
    hostConfig: { AutoRemove: true, RestartPolicy: { Name: 'always' } },
    words: "can't create 'AutoRemove' container with restart policy",
  },
  { hostConfig: { ExtraHosts: ['a'] }, words: 'bad format for add-host: "a"' },
  { hostConfig: { ExtraHosts: ['a:b'] }, words: 'invalid IP address in add-host: "b"' },
  { hostConfig: { Dns: ['x'] }, words: 'bad nameserver address "x"' },
  { hostConfig: { Binds: ['/a:'] }, words: "invalid volume specification: '/a:'" },
  { hostConfig: { Binds: ['/a:/b:bogus'] }, words: 'invalid mode: bogus' },
  { hostConfig: { Binds: ['/a:/b:ro,rw'] }, words: 'invalid mode: ro,rw' },
  {
    hostConfig: { Binds: ['/a:b'] },
    words: `invalid volume specification: '/a:b': invalid mount config for type "bind": invalid mount path: 'b' mount path must be absolute`,
  },
  {
    hostConfig: { Binds: ['/a:/'] },
    words: `invalid volume specification: '/a:/': invalid mount config for type "bind": invalid specification: destination can't be '/'`,
  },
  {
    hostConfig: { Binds: ['/a:/b:nocopy'] },
    words: `invalid volume specification: '/a:/b:nocopy': invalid mount config for type "bind": field VolumeOptions must not be specified`,
  },
  {
    hostConfig: { Binds: ['vol:/b:rslave'] },
    words: `invalid volume specification: 'vol:/b:rslave': invalid mount config for type "volume": field BindOptions must not be specified`,
  },
  {
    hostConfig: { Binds: ['vol:b'] },
    words: `invalid volume specification: 'vol:b': invalid mount config for type "volume": invalid mount path: 'b' mount path must be absolute`,
  },
  {
    hostConfig: { Mounts: [{ Type: 'volume', Target: '/d', ReadOnly: true }] },
    words: 'invalid mount config for type "volume": must not set ReadOnly mode when using anonymous volumes',
  },
  {
    hostConfig: { Mounts: [{ Type: 'volume', Source: 'v', Target: '/d', BindOptions: {} }] },
    words: 'invalid mount config for type "volume": field BindOptions must not be specified',
  },
  { config: { Volumes: { '/': {} } }, words: "invalid specification: destination can't be '/'" },
  { hostConfig: { VolumesFrom: [''] }, words: 'volumes-from specification cannot be an empty string' },
  { hostConfig: { VolumesFrom: ['a:bogus'] }, words: 'invalid mode: bogus' },
  { hostConfig: { VolumesFrom: ['a:nocopy'] }, words: 'invalid mode: nocopy' },
  { hostConfig: { VolumesFrom: ['a:rslave'] }, words: 'invalid mode: rslave' },
  { hostConfig: { Binds: ['/a:/m', '/b:/m/'] }, words: 'Duplicate mount point: /m' },
  { hostConfig: { Binds: ['/a:/m'], Tmpfs: { '/m': '' } }, words: 'Duplicate mount point: /m' },
  {
    hostConfig: { Mounts: [{ Type: 'bogus', Target: '/m' }] },
    words: 'invalid mount config for type "bogus": mount type unknown',
  },
  {
    hostConfig: { Mounts: [{ Type: 'bind', Target: '/m' }] },
    words: 'invalid mount config for type "bind": field Source must not be empty',
  },
  {
    hostConfig: { Mounts: [{ Type: 'tmpfs', Target: '/m', Source: '/x' }] },
    words: 'invalid mount config for type "tmpfs": field Source must not be specified',
  },
  {
    hostConfig: { Mounts: [{ Type: 'bind', Source: '/s', Target: '/m', BindOptions: { Propagation: 'x' } }] },
    words: 'invalid mount config for type "bind": invalid propagation mode: x',
  },
  { hostConfig: { Tmpfs: { '/m': 'bogus' } }, words: 'invalid tmpfs option ["bogus"]' },
  { hostConfig: { Tmpfs: { m: '' } }, words: "invalid mount path: 'm' mount path must be absolute" },
  { hostConfig: { PidMode: 'x' }, words: 'invalid PID mode: x' },
  { hostConfig: { IpcMode: 'x' }, words: 'invalid IPC mode: x' },
  { hostConfig: { CgroupnsMode: 'x' }, words: 'invalid cgroup namespace mode: x' },
  {
    config: { Hostname: 'web' },
    hostConfig: { UTSMode: 'host' },
    words: 'conflicting options: hostname and the UTS mode',
  },
  {
    hostConfig: { NetworkMode: 'container:' },
    words: 'invalid network mode: invalid container format container:<name|id>',
  },
  { networks: { bridge: null }, words: 'no EndpointSettings for bridge' },
  {
    networks: { bridge: {}, host: {} },
    words: 'Container cannot be connected to network endpoints: bridge, host',
  },
  {
    networks: { default: { IPAMConfig: { IPv4Address: '172.17.0.9' } } },
    words: 'user specified IP address is supported on user defined networks only',
  },
  {
    networks: { default: { Aliases: ['web'] } },
    words: 'network-scoped alias is supported only for containers in user defined networks',
  },
  { hostConfig: { PortBindings: { 'abc/tcp': [] } }, words: 'invalid port specification: "abc"' },
  { hostConfig: { ShmSize: -1 }, words: 'SHM size can not be less than 0' },
  { hostConfig: { OomScoreAdj: 1001 }, words: 'Invalid value 1001, range for oom score adj is [-1000, 1000]' },
  { hostConfig: { Runtime: 'bogus' }, words: 'unknown or invalid runtime name: bogus' },
  { hostConfig: { SecurityOpt: ['bogus'] }, words: 'invalid --security-opt 1: "bogus"' },
  { hostConfig: { SecurityOpt: ['bogus=1'] }, words: 'invalid --security-opt 2: "bogus=1"' },
  {
    hostConfig: { LogConfig: { Type: 'syslog' } },
    words: 'error looking up logging plugin syslog: plugin "syslog" not found',
  },
  {
    hostConfig: { LogConfig: { Config: { bogus: '1' } } },
    words: "unknown log opt 'bogus' for json-file log driver",
  },
  { hostConfig: { LogConfig: { Config: { 'max-file': '0' } } }, words: 'max-file cannot be less than 1' },
  {
    hostConfig: { LogConfig: { Type: 'local', Config: { labels: 'a' } } },
    words: "unknown log opt 'labels' for log driver local",
  },
  { hostConfig: { LogConfig: { Config: { mode: 'bogus' } } }, words: 'logger: logging mode not supported: bogus' },
  {
    hostConfig: { LogConfig: { Config: { 'max-buffer-size': '1m' } } },
    words: "logger: max-buffer-size option is only supported with 'mode=non-blocking'",
  },
  { hostConfig: { LogConfig: { Config: { 'env-regex': '[' } } }, words: 'error parsing regexp: [' },
  { hostConfig: { Ulimits: [{ Name: 'bogus', Soft: 1, Hard: 1 }] }, words: 'invalid ulimit type: bogus' },
  {
    hostConfig: { Ulimits: [{ Name: 'nofile', Soft: 2, Hard: 1 }] },
    words: 'ulimit soft limit must be less than or equal to hard limit: 2 > 1',
  },
  {
    hostConfig: { Sysctls: { 'vm.swappiness': '1' } },
    words: 'sysctl "vm.swappiness" is not in a separate kernel namespace',
  },
  {
    hostConfig: { NetworkMode: 'host', Sysctls: { 'net.core.somaxconn': '1' } },
    words: 'sysctl "net.core.somaxconn" not allowed in host network namespace',
  },
  { hostConfig: { Devices: [{ PathOnHost: '/dev/null', CgroupPermissions: 'x' }] }, words: 'invalid device mode: x' },
  { hostConfig: { DeviceCgroupRules: ['x'] }, words: "invalid device cgroup rule format: 'x'" },
  { hostConfig: { CgroupParent: '/a/../..' }, words: 'invalid cgroup parent: /a/../..' },
];

/** What a container cannot have of its own in the network of another. */
const joined: readonly (Parts & { readonly words: string })[] = [
  { config: { Hostname: 'a' }, words: 'hostname and the network mode' },
  { hostConfig: { Dns: ['1.1.1.1'] }, words: 'dns and the network mode' },
  { hostConfig: { ExtraHosts: ['a:1.1.1.1'] }, words: 'custom host-to-IP mapping and the network mode' },
  { config: { MacAddress: '02:42:00:00:00:01' }, words: 'mac-address and the network mode' },
  { hostConfig: { PublishAllPorts: true }, words: 'port publishing and the container type network mode' },
  {
    hostConfig: { PortBindings: { '80/tcp': [{ HostPort: '80' }] } },
    words: 'port publishing and the container type network mode',
  },
  { config: { ExposedPorts: { '80/tcp': {} } }, words: 'port exposing and the container type network mode' },
  {
    hostConfig: { Links: ['a:b'] },
    words: "container type network can't be used with links. This would result in undefined behavior",
  },
];

const notImplemented: readonly (Parts & { readonly words: RegExp })[] = [
  {
    hostConfig: { Mounts: [{ Type: 'volume', Source: 'v', Target: '/d', VolumeOptions: { Subpath: 'x' } }] },
    words: /Subpath/,
  },
  { hostConfig: { Mounts: [{ Type: 'image', Source: 'v', Target: '/d' }] }, words: /"image"/ },
  { hostConfig: { PortBindings: { '80/tcp': [{ HostIp: '::', HostPort: '80' }] } }, words: /IPv6 .*80\/tcp at ::/ },
];

describe('validateCreate', () => {
  for (const { words, ...parts } of invalid) {
    it(`refuses ${JSON.stringify(parts)} with Docker's words`, () => {
      assert.throws(
        () => validate(parts),
        (error) => {
          assert.ok(isEngineError(error));
          assert.deepEqual([error.kind, error.message], ['invalid-argument', words]);
          return true;
        },
      );
    });
  }

  for (const { words, ...parts } of joined) {
    it(`refuses ${JSON.stringify(parts)} in the network of another container`, () => {
      const hostConfig = { ...parts.hostConfig, NetworkMode: 'container:web' };
      assert.throws(() => validate({ ...parts, hostConfig }), {
        kind: 'invalid-argument',
        message: `conflicting options: ${words}`,
      });
    });
  }

  it('takes an image that exposes ports into the network of another container', () => {
    const { hostConfig } = validate({
      hostConfig: { NetworkMode: 'container:web', PidMode: 'container:web', IpcMode: 'container:web' },
      image: { ExposedPorts: { '80/tcp': {} } },
    });
    assert.equal(hostConfig.NetworkMode, 'container:web');
  });

  for (const { words, ...parts } of notImplemented) {
    it(`says that ${JSON.stringify(parts)} is not implemented`, () => {
      assert.throws(
        () => validate(parts),
        (error) => {
          assert.ok(isEngineError(error));
          assert.equal(error.kind, 'not-implemented');
          assert.match(error.message, words);
          return true;
        },
      );
    });
  }

  it('takes the name of any network: whether it is there is asked at the start', () => {
    validate({ hostConfig: { NetworkMode: 'mine' } });
    validate({ hostConfig: { NetworkMode: 'mine' }, networks: { mine: {} } });
    assert.throws(() => validate({ networks: { mine: {} } }), {
      kind: 'invalid-argument',
      message: 'Container cannot be connected to network endpoints: mine',
    });
  });

  const MAC = '02:42:00:00:00:01';
  it('takes the address of the interface, said at the container or at its network', () => {
    assert.equal(validate({ config: { MacAddress: MAC } }).config.MacAddress, MAC);
    assert.equal(validate({ networks: { default: { MacAddress: MAC } } }).config.MacAddress, MAC);
  });

  it('accepts what the docker CLI sends for a plain run', () => {
    const found = validate({
      config: {
        AttachStdout: true,
        AttachStderr: true,
        ExposedPorts: null,
        Volumes: {},
        Entrypoint: null,
        OnBuild: null,
      },
      hostConfig: {
        Binds: null,
        NetworkMode: 'default',
        RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
        LogConfig: { Type: '', Config: {} },
        MemorySwappiness: -1,
        PidsLimit: 0,
        ConsoleSize: [0, 0],
        PortBindings: {},
        Dns: [],
      },
      networks: { default: { IPAMConfig: null, Links: null, Aliases: null, MacAddress: '', DriverOpts: null } },
    });
    assert.deepEqual(found.warnings, []);
    assert.equal(found.hostConfig.NetworkMode, 'bridge');
  });

  it("fills in Docker's defaults as inspect shows them", () => {
    const { hostConfig } = validate({ hostConfig: { Memory: 10 * MB } });
    assert.equal(hostConfig.MemorySwap, 20 * MB);
    assert.equal(hostConfig.CgroupnsMode, 'host');
    assert.equal(hostConfig.Runtime, 'crun');
    assert.equal(hostConfig.OomKillDisable, false);
    assert.ok(hostConfig.MaskedPaths?.includes('/proc/kcore'));
    const privileged = validate({ hostConfig: { Privileged: true }, facts: { cgroupVersion: 2 } }).hostConfig;
    assert.equal(privileged.MaskedPaths, null);
    assert.equal(privileged.CgroupnsMode, 'private');
  });

  const warned: readonly (Parts & { readonly warning: RegExp })[] = [
    {
      hostConfig: { NetworkMode: 'host', PortBindings: { '80/tcp': null } },
      warning: /^Published ports are discarded when using host/,
    },
    { hostConfig: { OomKillDisable: true }, warning: /^OOM killer is disabled for the container/ },
    { hostConfig: { LogConfig: { Config: { mode: 'non-blocking' } } }, warning: /'mode=non-blocking' has no effect/ },
    { hostConfig: { LogConfig: { Type: 'local', Config: { compress: 'true' } } }, warning: /'compress=true'/ },
    { hostConfig: { KernelMemory: 10 * MB }, warning: /kernel memory limit/ },
    { hostConfig: { SecurityOpt: ['apparmor=mine'] }, warning: /AppArmor/ },
  ];
  for (const { warning, ...parts } of warned) {
    it(`warns about ${JSON.stringify(parts)}`, () => {
      const { warnings } = validate(parts);
      assert.equal(warnings.length, 1);
      assert.match(warnings[0] ?? '', warning);
    });
  }

  it('runs an image that exposes ports, has volumes or a health check', () => {
    const image = { ExposedPorts: { '80/tcp': {} }, Healthcheck: { Test: ['CMD', 'x'] }, Volumes: { '/data': {} } };
    assert.deepEqual(validate({ image }).warnings, []);
  });

  it('discards limits that the host cannot set, with a warning each', () => {
    const cgroups = {
      ...FACTS.cgroups,
      swap: false,
      pids: false,
      cpuset: false,
      cpuShares: false,
      memorySwappiness: false,
    };
    const found = validate({
      hostConfig: { Memory: 10 * MB, PidsLimit: 5, CpusetCpus: '0-99', CpuShares: 10, MemorySwappiness: 10 },
      facts: { cgroups },
    });
    assert.equal(found.warnings.length, 5);
    assert.equal(found.hostConfig.MemorySwap, -1);
    assert.equal(found.hostConfig.PidsLimit, null);
    assert.equal(found.hostConfig.CpusetCpus, '');
    assert.equal(found.hostConfig.CpuShares, 0);
    assert.equal(found.hostConfig.MemorySwappiness, null);
  });
});
