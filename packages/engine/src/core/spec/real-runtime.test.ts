import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { buildSpec, NOTHING_JOINED } from './build-spec.ts';
import { hostnameFile, hostsFile, resolvConfFile } from './etc-files.ts';
import { controllerFiles, hostFactsFrom, PROBED_PATHS, thermalPaths, type HostFacts } from './host-facts.ts';
import { plainMounts } from './mount-points.ts';
import { resolveUser } from './resolve-user.ts';
import { parseSeccompProfile } from './seccomp-profile.ts';
import { seccompTranslator } from './seccomp.ts';
import { ABILITIES, configWith, hostConfigWith, networksWith } from './spec-request.fixture.ts';
import { validateCreate } from './validate-create.ts';

/** Ours alone, so that nothing is left behind and nobody else is disturbed. */
const CGROUP_PARENT = `fairlead-spec-test-${process.pid}`;
const PROFILE = '/usr/share/containers/seccomp.json';
const PASSWD = 'root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1000::/home/web:/bin/sh\n';
const GROUP = 'root:x:0:\nweb:x:1000:\nwww:x:33:web\n';

function readHostFacts(): HostFacts {
  const read = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');
  const mounts = read('/proc/self/mounts');
  const cpuOnline = read('/sys/devices/system/cpu/online');
  const probed = [...Object.values(PROBED_PATHS), ...thermalPaths(cpuOnline), ...controllerFiles(mounts)];
  return hostFactsFrom({
    nodeArchitecture: process.arch,
    osRelease: read('/proc/sys/kernel/osrelease'),
    selfStatus: read('/proc/self/status'),
    memInfo: read('/proc/meminfo'),
    cpuOnline,
    nodeOnline: read('/sys/devices/system/node/online'),
    mounts,
    unifiedControllers: read('/sys/fs/cgroup/cgroup.controllers'),
    existing: new Set(probed.filter((path) => existsSync(path))),
  });
}

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one container in a bundle of its own, by a runtime, to its end. */
function runContainer(runtime: string, config: object, hostConfig: object): Outcome {
  const bundle = mkdtempSync(join(tmpdir(), 'spec-'));
  const id = randomBytes(32).toString('hex');
  try {
    const rootfsPath = makeRootfs(bundle);
    mkdirSync(join(bundle, 'shared'));
    writeFileSync(join(bundle, 'shared', 'file'), 'from the host\n');
    const facts = readHostFacts();
    const bound = JSON.parse(JSON.stringify(hostConfig).replaceAll('BUNDLE', bundle)) as object;
    const request = {
      hostConfig: hostConfigWith({ NetworkMode: 'none', CgroupParent: CGROUP_PARENT, ...bound }),
      networkingConfig: networksWith(),
      image: {},
    };
    const created = validateCreate({ facts, abilities: ABILITIES }, { ...request, config: configWith(config) });
    const spec = buildSpec(
      { facts, defaultSeccomp: seccompTranslator(parseSeccompProfile(readFileSync(PROFILE, 'utf8')), facts) },
      {
        id,
        config: { ...created.config, Hostname: created.config.Hostname || id.slice(0, 12) },
        hostConfig: created.hostConfig,
        user: resolveUser({ passwd: PASSWD, group: GROUP }, { user: created.config.User, groupAdd: [] }),
        rootfsPath,
        mounts: plainMounts(created.mounts),
        volumePath: (name) => join(bundle, name),
        joined: NOTHING_JOINED,
        etcPaths: writeEtcFiles(bundle),
        initPath: '/usr/bin/tini-static',
        mappedDevices: [],
        blockDevices: new Map(),
        linkedEnvironment: [],
        hostDevices: [],
      },
    );
    writeFileSync(join(bundle, 'config.json'), JSON.stringify(spec));
    const args = ['--root', join(bundle, 'state'), 'run', '--bundle', bundle, id];
    const { status, stdout, stderr } = spawnSync(runtime, args, { encoding: 'utf8', timeout: 20_000 });
    return { status, stdout, stderr };
  } finally {
    spawnSync(runtime, ['--root', join(bundle, 'state'), 'delete', '--force', id]);
    rmSync(bundle, { recursive: true, force: true });
    removeCgroups();
  }
}

/** The runtime removes the container's own cgroup and leaves the parent. */
function removeCgroups(): void {
  const places = ['.', ...readdirSync('/sys/fs/cgroup')].map((name) => join('/sys/fs/cgroup', name, CGROUP_PARENT));
  for (const path of places) {
    if (existsSync(path)) rmdirSync(path);
  }
}

function makeRootfs(bundle: string): string {
  const root = join(bundle, 'rootfs');
  for (const name of ['bin', 'etc', 'sbin', 'proc', 'dev', 'sys', 'tmp'])
    mkdirSync(join(root, name), { recursive: true });
  copyFileSync('/bin/busybox', join(root, 'bin/busybox'));
  for (const name of ['sh', 'cat', 'id', 'grep', 'touch', 'hostname', 'env', 'ulimit', 'stat', 'df', 'ps']) {
    symlinkSync('busybox', join(root, 'bin', name));
  }
  writeFileSync(join(root, 'etc/passwd'), PASSWD);
  writeFileSync(join(root, 'etc/group'), GROUP);
  return root;
}

function writeEtcFiles(bundle: string): { hostname: string; hosts: string; resolvConf: string } {
  const paths = {
    hostname: join(bundle, 'hostname'),
    hosts: join(bundle, 'hosts'),
    resolvConf: join(bundle, 'resolv.conf'),
  };
  writeFileSync(paths.hostname, hostnameFile('web'));
  const hosts = {
    hostname: 'web',
    domainname: '',
    extraHosts: ['db:10.0.0.5'],
    linked: [],
    ipAddress: '172.17.0.2',
    hostGateway: '172.17.0.1',
  };
  writeFileSync(paths.hosts, hostsFile(hosts));
  const dns = { host: '', nameservers: ['9.9.9.9'], search: [], options: [], sharesHostNetwork: false };
  writeFileSync(paths.resolvConf, resolvConfFile(dns));
  return paths;
}

const script = (text: string): object => ({ Cmd: ['sh', '-c', text] });

const cases: readonly {
  readonly fact: string;
  readonly config: object;
  readonly hostConfig?: object;
  readonly expected: RegExp | string;
}[] = [
  {
    fact: 'has the default capabilities, a filter and no more',
    config: script('grep -E "^(CapEff|NoNewPrivs|Seccomp):" /proc/self/status'),
    expected: 'CapEff:\t00000000a80425fb\nNoNewPrivs:\t0\nSeccomp:\t2\n',
  },
  {
    fact: 'is nobody special as a user, with groups of its own',
    config: { ...script('id; echo $HOME; grep CapEff /proc/self/status'), User: 'web' },
    expected:
      /^uid=1000\(web\) gid=1000\(web\) groups=33\(www\),1000\(web\)\n\/home\/web\nCapEff:\t0000000000000000\n$/,
  },
  {
    fact: 'may do everything when privileged',
    config: script(
      'grep -E "^Seccomp:" /proc/self/status; touch /proc/sys/kernel/x 2>&1; grep " /proc/sys " /proc/mounts; grep " /sys " /proc/mounts',
    ),
    hostConfig: { Privileged: true },
    expected: /^Seccomp:\t0\n[^]*sysfs \/sys sysfs rw,/,
  },
  {
    fact: 'cannot look at masked paths or write to read-only ones',
    config: script('cat /proc/kcore | grep -c .; echo 1 > /proc/sys/kernel/panic'),
    expected: /^0\n/,
  },
  {
    fact: 'finds the files of the engine in /etc',
    config: script('cat /etc/hostname /etc/resolv.conf; grep -E "db|web" /etc/hosts; hostname'),
    expected:
      /^web\n# Generated by Fairlead.*\nnameserver 9\.9\.9\.9\n10\.0\.0\.5\tdb\n172\.17\.0\.2\tweb\n[0-9a-f]{12}\n$/,
  },
  {
    fact: 'sees binds, read-only ones too, and tmpfs',
    config: script(
      'cat /w/file /r/file; touch /w/new && echo written; touch /r/new 2>/dev/null || echo refused; grep " /t " /proc/mounts',
    ),
    hostConfig: { Binds: ['BUNDLE/shared:/w', 'BUNDLE/shared:/r:ro'], Tmpfs: { '/t': 'size=64k,mode=700' } },
    expected:
      /^from the host\nfrom the host\nwritten\nrefused\ntmpfs \/t tmpfs rw,nosuid,nodev,noexec,relatime,size=64k,mode=700/,
  },
  {
    fact: 'cannot write to a read-only root',
    config: script('touch /x 2>/dev/null || echo refused; touch /dev/shm/x && echo written'),
    hostConfig: { ReadonlyRootfs: true },
    expected: 'refused\nwritten\n',
  },
  {
    fact: 'runs under init',
    config: script('cat /proc/1/comm'),
    hostConfig: { Init: true },
    expected: 'docker-init\n',
  },
  {
    fact: 'has the ulimits, limited and not',
    config: script('ulimit -n; grep "Max core file size" /proc/self/limits'),
    hostConfig: {
      Ulimits: [
        { Name: 'nofile', Soft: 100, Hard: 200 },
        { Name: 'core', Soft: -1, Hard: -1 },
      ],
    },
    expected: /^100\nMax core file size +unlimited +unlimited/,
  },
  {
    fact: 'has its limits of memory, CPU and processes',
    config: script(
      'cd /sys/fs/cgroup; cat memory.max memory/memory.limit_in_bytes pids.max pids/pids.max cpu.max cpu/cpu.cfs_quota_us 2>/dev/null',
    ),
    hostConfig: { Memory: 16_777_216, PidsLimit: 77, NanoCpus: 5e8 },
    expected: /^16777216\n77\n50000( 100000)?\n$/,
  },
  {
    fact: 'has its sysctls',
    config: script('cat /proc/sys/net/core/somaxconn /proc/sys/net/ipv4/ip_unprivileged_port_start'),
    hostConfig: { Sysctls: { 'net.core.somaxconn': '77' } },
    expected: '77\n0\n',
  },
  {
    fact: 'has capabilities added and taken away',
    config: script('grep CapEff /proc/self/status'),
    hostConfig: { CapDrop: ['ALL'], CapAdd: ['net_raw'] },
    expected: 'CapEff:\t0000000000002000\n',
  },
  {
    fact: 'gets the shared memory asked for',
    config: script('df -k /dev/shm | grep -o "shm  *[0-9][0-9]*"'),
    hostConfig: { ShmSize: 1_048_576 },
    expected: /^shm +1024\n$/,
  },
  {
    fact: 'is made its working directory',
    config: { ...script('pwd'), WorkingDir: '/not/there' },
    expected: '/not/there\n',
  },
];

describe('a spec of ours', { skip: process.getuid?.() !== 0 && 'needs root' }, () => {
  for (const runtime of ['crun', 'runc']) {
    const missing = spawnSync(runtime, ['--version']).error !== undefined;
    describe(`run by ${runtime}`, { skip: missing && `${runtime} is not installed` }, () => {
      for (const { fact, config, hostConfig = {}, expected } of cases) {
        it(fact, () => {
          const { stdout, stderr } = runContainer(runtime, config, hostConfig);
          if (typeof expected === 'string') assert.equal(stdout, expected, stderr);
          else assert.match(stdout, expected, stderr);
        });
      }
    });
  }
});
