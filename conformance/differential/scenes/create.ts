import type { Scene, Step } from '../step.ts';

/** What is added to a plain create; each is created, inspected and removed. */
const BODIES: Readonly<Record<string, object>> = {
  plain: {},
  'a command as text': { Cmd: 'true' },
  'no command': { Cmd: null },
  'a command of no letters': { Cmd: [''] },
  'an entrypoint': { Entrypoint: ['echo'], Cmd: ['a'] },
  'an entrypoint as text': { Entrypoint: 'echo' },
  'an empty entrypoint': { Entrypoint: [] },
  'an entrypoint that resets': { Entrypoint: [''] },
  environment: { Env: ['A=b', 'B='] },
  'a bad environment': { Env: ['=x'] },
  'an empty environment entry': { Env: [''] },
  user: { User: '1000:1000' },
  'a working directory': { WorkingDir: '/tmp//x/../y' },
  'a relative working directory': { WorkingDir: 'tmp' },
  'a working directory that is a file': { WorkingDir: '/bin/busybox' },
  labels: { Labels: { a: 'b', c: '' } },
  'a host name': { Hostname: 'web', Domainname: 'example.org' },
  'a stop signal': { StopSignal: 'SIGUSR1' },
  'a bad stop signal': { StopSignal: 'BOGUS' },
  'a stop timeout': { StopTimeout: 3 },
  'a negative stop timeout': { StopTimeout: -1 },
  terminal: { Tty: true, OpenStdin: true, StdinOnce: true, AttachStdin: true, AttachStdout: true },
  'a health check of the image’s': { Healthcheck: { Test: [], Retries: 2 } },
  'no networking': { NetworkDisabled: true },
  'keys in lower case': { cmd: ['true'], hostconfig: { networkmode: 'none' } },
  'a command without a name': { Cmd: [''] },
  'an endpoint that is null': { NetworkingConfig: { EndpointsConfig: { none: null } } },
  'unknown keys': { Nosuch: 1, HostConfig: { NetworkMode: 'none', Nosuch: {} } },
};

/** As above, in HostConfig. */
const HOST_BODIES: Readonly<Record<string, object>> = {
  memory: { Memory: 64 * 1024 * 1024 },
  'too little memory': { Memory: 1024 },
  'memory and swap': { Memory: 64 * 1024 * 1024, MemorySwap: 128 * 1024 * 1024 },
  'swap below memory': { Memory: 64 * 1024 * 1024, MemorySwap: 32 * 1024 * 1024 },
  'swap without memory': { MemorySwap: 32 * 1024 * 1024 },
  'a reservation above memory': { Memory: 64 * 1024 * 1024, MemoryReservation: 128 * 1024 * 1024 },
  swappiness: { MemorySwappiness: -1 },
  'a swappiness that cannot be': { MemorySwappiness: 101 },
  'nano cpus': { NanoCpus: 500_000_000 },
  'too many cpus': { NanoCpus: 1_000_000_000_000 },
  'nano cpus and a quota': { NanoCpus: 500_000_000, CpuQuota: 50_000 },
  'a quota': { CpuQuota: 50_000, CpuPeriod: 100_000 },
  'a period that cannot be': { CpuPeriod: 1 },
  'a quota that cannot be': { CpuQuota: 1 },
  shares: { CpuShares: 512 },
  'fewer shares than the kernel takes': { CpuShares: 1 },
  'a cpu set': { CpusetCpus: '0' },
  'a cpu set that is not there': { CpusetCpus: '0-99' },
  'a malformed cpu set': { CpusetCpus: 'x' },
  'a pids limit': { PidsLimit: 100 },
  'a pids limit of 0': { PidsLimit: 0 },
  'a pids limit of -1': { PidsLimit: -1 },
  'an ulimit': { Ulimits: [{ Name: 'nofile', Soft: 100, Hard: 200 }] },
  capabilities: { CapAdd: ['NET_ADMIN'], CapDrop: ['CAP_CHOWN'] },
  'all capabilities': { CapAdd: ['ALL'] },
  'a capability nobody knows': { CapAdd: ['BOGUS'] },
  'a dropped capability nobody knows': { CapDrop: ['BOGUS'] },
  privileged: { Privileged: true },
  'a read-only root': { ReadonlyRootfs: true },
  'no new privileges': { SecurityOpt: ['no-new-privileges'] },
  'no seccomp': { SecurityOpt: ['seccomp=unconfined'] },
  'a security option nobody knows': { SecurityOpt: ['bogus'] },
  'shared memory': { ShmSize: 1024 * 1024 },
  'negative shared memory': { ShmSize: -1 },
  'extra hosts': { ExtraHosts: ['db:10.0.0.1'] },
  'malformed extra hosts': { ExtraHosts: ['db'] },
  'name servers': { Dns: ['10.0.0.1'], DnsSearch: ['example.org'], DnsOptions: ['ndots:2'] },
  sysctls: { Sysctls: { 'net.ipv4.ip_forward': '1' } },
  'a log size': { LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } } },
  'a log option nobody knows': { LogConfig: { Type: 'json-file', Config: { bogus: '1' } } },
  'a log of which nothing is kept': { LogConfig: { Type: 'none', Config: {} } },
  'a local log': { LogConfig: { Type: 'local', Config: { 'max-size': '1m' } } },
  'an option that a local log has not': { LogConfig: { Type: 'local', Config: { labels: 'a' } } },
  'log details': { LogConfig: { Type: 'json-file', Config: { labels: 'a', env: 'E', tag: '{{.Name}}' } } },
  'a log mode nobody knows': { LogConfig: { Type: 'json-file', Config: { mode: 'bogus' } } },
  'a log driver nobody has': { LogConfig: { Type: 'bogus', Config: {} } },
  'a bind': { Binds: ['/srv:/data:ro'] },
  'a malformed bind': { Binds: ['/a:'] },
  'a bind with a bad mode': { Binds: ['/a:/b:bogus'] },
  'the same place twice': { Binds: ['/tmp:/m', '/tmp:/m'] },
  'a bind mount': { Mounts: [{ Type: 'bind', Source: '/srv', Target: '/data', ReadOnly: true }] },
  'a bind mount of nothing': { Mounts: [{ Type: 'bind', Source: '/nosuch-dir', Target: '/data' }] },
  'a mount without a target': { Mounts: [{ Type: 'tmpfs' }] },
  'a mount of no type': { Mounts: [{ Type: 'bogus', Target: '/x' }] },
  'a tmpfs mount': { Mounts: [{ Type: 'tmpfs', Target: '/data', TmpfsOptions: { SizeBytes: 1_048_576 } }] },
  tmpfs: { Tmpfs: { '/t': 'size=1m' } },
  'a restart policy': { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 } },
  'a restart policy nobody knows': { RestartPolicy: { Name: 'bogus' } },
  'a retry count without on-failure': { RestartPolicy: { Name: 'always', MaximumRetryCount: 2 } },
  'a negative retry count': { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: -1 } },
  'auto-remove and restarts': { AutoRemove: true, RestartPolicy: { Name: 'always' } },
  'a device without options': { DeviceRequests: [{ Count: -1, Capabilities: [['gpu']] }] },
  init: { Init: true },
  'supplementary groups': { GroupAdd: ['10'] },
  'oom score': { OomScoreAdj: 100 },
  'an oom score that cannot be': { OomScoreAdj: 2000 },
  'the host’s pids': { PidMode: 'host' },
  'the host’s ipc': { IpcMode: 'host' },
  'the host’s names': { UTSMode: 'host' },
  'a runtime nobody has': { Runtime: 'bogus' },
};

const LATER = 'Docker 28 refuses it at create, 20.10 at start';

/** What we refuse, and 20.10 takes. */
const REFUSED: Readonly<Record<string, { readonly host: object; readonly because: string }>> = {
  'a malformed name server': { host: { Dns: ['x'] }, because: LATER },
  'a malformed tmpfs': { host: { Tmpfs: { '/t': 'bogus=1' } }, because: LATER },
  'a pid mode nobody knows': { host: { PidMode: 'bogus' }, because: LATER },
  'an ipc mode nobody knows': { host: { IpcMode: 'bogus' }, because: LATER },
};

/** What a create makes of its parameters, and what it refuses. */
export const createScenes: readonly Scene[] = [
  ...Object.entries(BODIES).map(([name, more]) =>
    scene(`create with ${name}`, { Image: 'busybox', Cmd: ['true'], HostConfig: { NetworkMode: 'none' }, ...more }),
  ),
  ...Object.entries(HOST_BODIES).map(([name, host]) =>
    scene(`create with ${name}`, { Image: 'busybox', Cmd: ['true'], HostConfig: { NetworkMode: 'none', ...host } }),
  ),
  ...Object.entries(REFUSED).map(([name, { host, because }]) => ({
    ...scene(`create with ${name}`, { Image: 'busybox', Cmd: ['true'], HostConfig: { NetworkMode: 'none', ...host } }),
    refusedBecause: because,
  })),
  {
    name: 'create of an image of another platform',
    steps: [{ target: 'POST /containers/create?platform=linux/s390x', json: { Image: 'busybox', Cmd: ['true'] } }],
  },
  {
    name: 'a working directory before the first run',
    steps: [
      {
        target: 'POST /containers/create?name=made',
        json: { Image: 'busybox', WorkingDir: '/usr/new//dir', HostConfig: { NetworkMode: 'none' } },
        keep: 'c',
      },
      { target: 'GET /containers/made/changes' },
      { target: 'DELETE /containers/made?force=1', compare: 'status' },
    ],
  },
  {
    name: 'update that takes limits away',
    steps: [
      {
        target: 'POST /containers/create?name=made',
        json: { Image: 'busybox', Cmd: ['true'], HostConfig: { NetworkMode: 'none', PidsLimit: 7, CpuQuota: 20_000 } },
        keep: 'c',
      },
      { target: 'POST /containers/made/update', json: { PidsLimit: -2, CpuQuota: -1 } },
      { target: 'POST /containers/made/update', json: { RestartPolicy: { Name: '', MaximumRetryCount: 3 } } },
      { target: 'GET /containers/made/json' },
      { target: 'DELETE /containers/made?force=1', compare: 'status' },
    ],
  },
];

function scene(name: string, json: object): Scene {
  const steps: readonly Step[] = [
    { target: 'POST /containers/create?name=made', json, keep: 'c' },
    { target: 'GET /containers/made/json' },
    { target: 'DELETE /containers/made?force=1', compare: 'status' },
  ];
  return { name, steps };
}
