import type { Scene } from '../step.ts';

interface Asked {
  /** What the container prints is compared. */
  readonly script: string;
  readonly config?: object;
  readonly host?: object;
}

/** Two levels, which both engines' runtimes make. */
export const PARENT_CGROUP = '/effects/parent';

const DISK = '/dev/loop3';
const loop = (mode: string): object => ({ PathOnHost: DISK, PathInContainer: '/dev/x', CgroupPermissions: mode });

/** What parameters make of a container, as its own processes see it. */
const EFFECTS: Readonly<Record<string, Asked>> = {
  environment: { script: 'env | sort', config: { Env: ['A=b', 'PATH', 'X=y=z', 'E='], Hostname: 'h' } },
  'the environment of a terminal': { script: 'env | sort; tty', config: { Tty: true, Hostname: 'h' } },
  'a user by name': { script: 'id; echo $HOME', config: { User: 'daemon' } },
  'a group nobody knows': { script: 'id', config: { User: 'root:nosuch' } },
  'added groups': { script: 'id', host: { GroupAdd: ['10', '777'] } },
  'an added group nobody knows': { script: 'id', host: { GroupAdd: ['nosuch'] } },
  'capabilities and filters': { script: 'grep -e Cap -e NoNewPrivs -e Seccomp: /proc/self/status' },
  'chosen capabilities': {
    script: 'grep Cap /proc/self/status',
    host: { CapAdd: ['SYS_ADMIN', 'cap_net_admin'], CapDrop: ['chown'] },
  },
  'no capabilities but one': { script: 'grep Cap /proc/self/status', host: { CapDrop: ['ALL'], CapAdd: ['NET_RAW'] } },
  'a read-only root': { script: '(touch /x; touch /dev/x; echo $?) 2>&1', host: { ReadonlyRootfs: true } },
  'a tmpfs': { script: 'mount | grep " /t "', host: { Tmpfs: { '/t': 'exec,size=1m,mode=700,uid=5' } } },
  'a mounted tmpfs': {
    script: 'mount | grep " /t "; stat -c %a /t',
    host: { Mounts: [{ Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 1_048_576, Mode: 0o700 } }] },
  },
  'a read-only tmpfs': {
    script: 'mount | grep " /t "',
    host: { Mounts: [{ Type: 'tmpfs', Target: '/t', ReadOnly: true }] },
  },
  'a bind with what is mounted below': {
    script: 'ls /m/fs/cgroup | grep -c cpu',
    host: { Mounts: [{ Type: 'bind', Source: '/sys', Target: '/m' }] },
  },
  'a bind without what is mounted below': {
    script: 'ls /m/fs/cgroup | grep -c cpu',
    host: { Mounts: [{ Type: 'bind', Source: '/sys', Target: '/m', BindOptions: { NonRecursive: true } }] },
  },
  limits: {
    script: 'cat /proc/self/limits',
    host: {
      Ulimits: [
        { Name: 'nofile', Soft: 100, Hard: 200 },
        { Name: 'core', Soft: 0, Hard: -1 },
      ],
    },
  },
  'shared memory': { script: 'df /dev/shm | tail -n 1; mount | grep shm', host: { ShmSize: 1_048_576 } },
  'no shared memory': { script: 'mount | grep -c shm', host: { IpcMode: 'none' } },
  'processes of a container that is not there': { script: 'true', host: { PidMode: 'container:nosuch' } },
  'the network of a container that is not there': { script: 'true', host: { NetworkMode: 'container:nosuch' } },
  'a network that is not there': { script: 'true', host: { NetworkMode: 'nosuch' } },
  'host name and the host’s names': { script: 'true', config: { Hostname: 'x' }, host: { UTSMode: 'host' } },
  'a cgroup namespace': { script: 'grep memory /proc/self/cgroup', host: { CgroupnsMode: 'private' } },
  'a cgroup parent': {
    script: 'grep memory /proc/self/cgroup | cut -d/ -f2,3',
    host: { CgroupParent: PARENT_CGROUP },
  },
  sysctls: {
    script: 'cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shmmax /proc/sys/net/ipv4/ip_unprivileged_port_start',
    host: { Sysctls: { 'net.ipv4.ip_forward': '1', 'kernel.shmmax': '1000000' } },
  },
  'an oom score': { script: 'cat /proc/self/oom_score_adj', host: { OomScoreAdj: 77 } },
  'a device': { script: 'ls -l /dev/x | cut -c1-30', host: { Devices: [loop('rwm')] } },
  'a device that is not there': {
    script: 'true',
    host: { Devices: [{ PathOnHost: '/dev/nosuch', PathInContainer: '/dev/x', CgroupPermissions: 'rwm' }] },
  },
  'a device of a driver nobody has': {
    script: 'true',
    host: { DeviceRequests: [{ Driver: '', Count: -1, Capabilities: [['gpu']], Options: {} }] },
  },
  'an unused word for cgroups': { script: 'true', host: { Cgroup: 'x' } },
  'a working directory that is not there': { script: 'pwd; stat -c %u /new/dir', config: { WorkingDir: '/new/dir' } },
  'masked paths': {
    script: 'ls /proc/acpi | wc -l; ls /sys/firmware | wc -l; cat /proc/timer_list 2>/dev/null | wc -c',
  },
  'read-only paths': { script: '(echo x >/proc/sys/kernel/hostname) 2>/dev/null; echo $?' },
  names: {
    script: 'grep -v -e "::" /etc/hosts; cat /etc/hostname; grep -v "^#" /etc/resolv.conf | sort',
    config: { Hostname: 'h', Domainname: 'd.e' },
    host: { ExtraHosts: ['a:1.2.3.4'], Dns: ['9.9.9.9'], DnsSearch: ['s.t'], DnsOptions: ['ndots:3'] },
  },
  'no input': { script: 'cat; echo done' },
  'an address of the interface': {
    script: 'cat /sys/class/net/lo/address',
    config: { MacAddress: '02:42:00:00:00:77' },
  },
  'shares and memory': {
    script:
      'cd /sys/fs/cgroup; cat cpu/cpu.shares memory/memory.limit_in_bytes memory/memory.memsw.limit_in_bytes memory/memory.soft_limit_in_bytes',
    host: { CpuShares: 100, Memory: 64 * 1024 * 1024, MemoryReservation: 32 * 1024 * 1024 },
  },
  'a weight of block I/O that cannot be': { script: 'true', host: { BlkioWeight: 5 } },
  'limits of single devices': {
    script: 'cat /sys/fs/cgroup/blkio/blkio.throttle.read_bps_device',
    host: { BlkioDeviceReadBps: [{ Path: DISK, Rate: 1024 }] },
  },
  'a device to limit that is not there': {
    script: 'true',
    host: { BlkioDeviceReadBps: [{ Path: '/dev/nosuch', Rate: 1024 }] },
  },
  'a real-time period that cannot be': { script: 'true', host: { CpuRealtimePeriod: 1000, CpuRealtimeRuntime: 2000 } },
};

/** Each is created, started, waited for, and asked what it printed. */
export const effectScenes: readonly Scene[] = Object.entries(EFFECTS).map(([name, { script, config, host }]) => ({
  name: `the effect of ${name}`,
  steps: [
    {
      target: 'POST /containers/create?name=ee',
      json: { Image: 'busybox', Cmd: ['sh', '-c', script], ...config, HostConfig: { NetworkMode: 'none', ...host } },
      keep: 'e',
    },
    { target: 'POST /containers/ee/start' },
    { target: 'POST /containers/ee/wait' },
    { target: 'GET /containers/ee/logs?stdout=1&stderr=1' },
    { target: 'GET /containers/ee/json' },
    { target: 'DELETE /containers/ee?force=1', compare: 'status' },
  ],
}));
