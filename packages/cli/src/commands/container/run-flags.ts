import type { CreateBody } from '@fairlead/client';
import { parseMemory } from '@fairlead/protocol';
import type { FlagSet } from '../../flags/flag-set.ts';
import { checkedList, integer, list, parsed, text, toggle } from '../../flags/flag-types.ts';
import {
  addHost,
  cpusToNanos,
  checkEnv,
  labelMap,
  parseUlimit,
  readEnv,
  readLabelFiles,
  readEnvFiles,
  securityOption,
  tmpfsMap,
} from './run-values.ts';

/** What `run` and `create` make of their flags. */
export interface ContainerRequest {
  readonly name: string;
  readonly pull: string;
  readonly body: CreateBody;
}

/** Reads the flags and the words behind them. `attached` is false for `create` and `run -d`. @throws ExitError */
export type ReadRequest = (
  args: readonly string[],
  from: { readonly env: Readonly<Record<string, string | undefined>>; readonly attached: boolean },
) => Promise<ContainerRequest>;

type HostConfigBody = NonNullable<CreateBody['HostConfig']>;

/** Declares the flags that `run` and `create` share. What is not here is refused as an unknown flag. */
export function containerFlags(flags: FlagSet): ReadRequest {
  const config = configFlags(flags);
  const host = hostFlags(flags);
  const name = flags.add('name', 'Assign a name to the container', text());
  const pull = flags.add(
    'pull',
    'Pull image before running ("always", "missing", "never") (default "missing")',
    text('missing'),
  );
  return async (args, { env, attached }) => ({
    name: name.value,
    pull: pull.value,
    body: { ...(await config(args, { env, attached })), HostConfig: await host() },
  });
}

function configFlags(
  flags: FlagSet,
): (
  args: readonly string[],
  from: { readonly env: Readonly<Record<string, string | undefined>>; readonly attached: boolean },
) => Promise<CreateBody> {
  const entrypoint = flags.add('entrypoint', 'Overwrite the default ENTRYPOINT of the image', parsed('string', String));
  const envs = flags.add('env,e', 'Set environment variables', checkedList(checkEnv));
  const envFiles = flags.add('env-file', 'Read in a file of environment variables', list());
  const hostname = flags.add('hostname,h', 'Container host name', text());
  const domainname = flags.add('domainname', 'Container NIS domain name', text());
  const interactive = flags.add('interactive,i', 'Keep STDIN open even if not attached', toggle());
  const labels = flags.add('label,l', 'Set meta data on a container', list());
  const labelFiles = flags.add('label-file', 'Read in a line delimited file of labels', list());
  const stopSignal = flags.add('stop-signal', 'Signal to stop the container', text());
  const stopTimeout = flags.add('stop-timeout', 'Timeout (in seconds) to stop a container', integer());
  const tty = flags.add('tty,t', 'Allocate a pseudo-TTY', toggle());
  const user = flags.add('user,u', 'Username or UID (format: <name|uid>[:<group|gid>])', text());
  const workdir = flags.add('workdir,w', 'Working directory inside the container', text());
  return async ([image = '', ...command], { env, attached }) => ({
    Image: image,
    Cmd: command.length > 0 ? command : null,
    // An empty entrypoint takes the image's away. Source: docker/cli container/opts.go.
    Entrypoint: entrypoint.value === undefined ? null : [entrypoint.value],
    Env: [...(await readEnvFiles(envFiles.value, env)), ...readEnv(envs.value, env)],
    Hostname: hostname.value,
    Domainname: domainname.value,
    User: user.value,
    WorkingDir: workdir.value,
    Labels: labelMap([...(await readLabelFiles(labelFiles.value)), ...labels.value]),
    StopSignal: stopSignal.value,
    StopTimeout: stopTimeout.value ?? null,
    Tty: tty.value,
    OpenStdin: interactive.value,
    StdinOnce: interactive.value && attached,
    AttachStdin: interactive.value && attached,
    AttachStdout: attached,
    AttachStderr: attached,
  });
}

function hostFlags(flags: FlagSet): () => Promise<HostConfigBody> {
  const resources = resourceFlags(flags);
  const security = securityFlags(flags);
  const addHosts = flags.add('add-host', 'Add a custom host-to-IP mapping (host:ip)', checkedList(addHost));
  const devices = flags.add('device', 'Add a host device to the container', list());
  const dns = flags.add('dns', 'Set custom DNS servers', list());
  const dnsOptions = flags.add('dns-option', 'Set DNS options', list());
  const dnsSearch = flags.add('dns-search', 'Set custom DNS search domains', list());
  const init = flags.add(
    'init',
    'Run an init inside the container that forwards signals and reaps processes',
    toggle(),
  );
  const network = flags.add(
    'network',
    'Connect a container to a network: bridge, host or none',
    text('default', 'network'),
  );
  const net = flags.add('net', 'Same as --network', text('default', 'network'));
  const restart = flags.add('restart', 'Restart policy to apply when a container exits (default "no")', text('no'));
  const rm = flags.add(
    'rm',
    'Automatically remove the container and its associated anonymous volumes when it exits',
    toggle(),
  );
  const tmpfs = flags.add('tmpfs', 'Mount a tmpfs directory', list());
  const volumes = flags.add('volume,v', 'Bind mount a volume', list());
  const logDriver = flags.add('log-driver', 'Logging driver for the container', text());
  const logOpts = flags.add('log-opt', 'Log driver options', list());
  return async () => {
    const [policy = '', retries = '0'] = restart.value.split(':');
    return {
      ...resources(),
      ...(await security()),
      Binds: volumes.value.length > 0 ? volumes.value : null,
      NetworkMode: network.given ? network.value : net.value,
      RestartPolicy: { Name: policy, MaximumRetryCount: Number(retries) },
      AutoRemove: rm.value,
      LogConfig: { Type: logDriver.value, Config: labelMap(logOpts.value) },
      Dns: dns.value,
      DnsOptions: dnsOptions.value,
      DnsSearch: dnsSearch.value,
      ExtraHosts: addHosts.value,
      Tmpfs: tmpfsMap(tmpfs.value),
      Devices: devices.value.map(deviceOf),
      ...(init.given ? { Init: init.value } : {}),
    };
  };
}

function resourceFlags(flags: FlagSet): () => HostConfigBody {
  const memory = flags.add('memory,m', 'Memory limit', parsed('bytes', parseMemory));
  const reservation = flags.add('memory-reservation', 'Memory soft limit', parsed('bytes', parseMemory));
  const swap = flags.add(
    'memory-swap',
    "Swap limit equal to memory plus swap: '-1' to enable unlimited swap",
    parsed('bytes', (typed) => (typed === '-1' ? -1 : parseMemory(typed))),
  );
  const shm = flags.add('shm-size', 'Size of /dev/shm', parsed('bytes', parseMemory));
  const cpus = flags.add('cpus', 'Number of CPUs', parsed('decimal', cpusToNanos));
  const cpuShares = flags.add('cpu-shares,c', 'CPU shares (relative weight)', integer());
  const cpuPeriod = flags.add('cpu-period', 'Limit CPU CFS (Completely Fair Scheduler) period', integer());
  const cpuQuota = flags.add('cpu-quota', 'Limit CPU CFS (Completely Fair Scheduler) quota', integer());
  const cpuset = flags.add('cpuset-cpus', 'CPUs in which to allow execution (0-3, 0,1)', text());
  const pids = flags.add('pids-limit', 'Tune container pids limit (set -1 for unlimited)', integer());
  const ulimits = flags.add('ulimit', 'Ulimit options', list('ulimit'));
  return () => ({
    Memory: memory.value ?? 0,
    MemoryReservation: reservation.value ?? 0,
    MemorySwap: swap.value ?? 0,
    ShmSize: shm.value ?? 0,
    NanoCpus: cpus.value ?? 0,
    CpuShares: cpuShares.value ?? 0,
    CpuPeriod: cpuPeriod.value ?? 0,
    CpuQuota: cpuQuota.value ?? 0,
    CpusetCpus: cpuset.value,
    ...(pids.value === undefined ? {} : { PidsLimit: pids.value }),
    Ulimits: ulimits.value.map(parseUlimit),
  });
}

function securityFlags(flags: FlagSet): () => Promise<HostConfigBody> {
  const capAdd = flags.add('cap-add', 'Add Linux capabilities', list());
  const capDrop = flags.add('cap-drop', 'Drop Linux capabilities', list());
  const groupAdd = flags.add('group-add', 'Add additional groups to join', list());
  const ipc = flags.add('ipc', 'IPC mode to use', text());
  const pid = flags.add('pid', 'PID namespace to use', text());
  const privileged = flags.add('privileged', 'Give extended privileges to this container', toggle());
  const readOnly = flags.add('read-only', "Mount the container's root filesystem as read only", toggle());
  const securityOpt = flags.add('security-opt', 'Security Options', list());
  const sysctls = flags.add('sysctl', 'Sysctl options', list('map'));
  return async () => ({
    CapAdd: capAdd.value.length > 0 ? capAdd.value : null,
    CapDrop: capDrop.value.length > 0 ? capDrop.value : null,
    GroupAdd: groupAdd.value.length > 0 ? groupAdd.value : null,
    IpcMode: ipc.value,
    PidMode: pid.value,
    Privileged: privileged.value,
    ReadonlyRootfs: readOnly.value,
    SecurityOpt: securityOpt.value.length > 0 ? await Promise.all(securityOpt.value.map(securityOption)) : null,
    Sysctls: labelMap(sysctls.value),
  });
}

/** `/dev/sda:/dev/xvda:rwm`; the parts behind the first may be missing. */
function deviceOf(typed: string): NonNullable<NonNullable<HostConfigBody['Devices']>[number]> {
  const [host = '', second, third] = typed.split(':');
  const permissions = third ?? (second !== undefined && /^[rwm]+$/.test(second) ? second : 'rwm');
  const inside = second === undefined || /^[rwm]+$/.test(second) ? host : second;
  return { PathOnHost: host, PathInContainer: inside, CgroupPermissions: permissions };
}
