import type { CreateContainerBody } from '@fairlead/protocol';
import type { FleetActor, FleetRole, FleetVerb, SessionKind } from '@fairlead/protocol/fleet';

/** Namespaces of the host that a container may be asked to share. */
export type HostNamespace = 'network' | 'pid' | 'ipc' | 'uts' | 'user' | 'cgroup';

/**
 * What this host allows, whatever the hub says: a local file that nobody can widen from outside. What is left out is not limited.
 *
 * In patterns `*` stands for any characters, also none.
 */
export interface Policy {
  readonly verbs?: readonly FleetVerb[] | undefined;
  readonly roles?: readonly FleetRole[] | undefined;
  /** Patterns of users' names. */
  readonly actors?: readonly string[] | undefined;
  readonly sessions?: readonly SessionKind[] | undefined;
  /** Of a stop or restart, the container's own included; without end is longer than any. */
  readonly maxGraceMs?: number | undefined;
  /** Patterns of images that may be pulled and made containers of: of the short spelling or of the whole one. */
  readonly images?: readonly string[] | undefined;
  /** Refuses what lifts a container's walls: privileged, capabilities, devices, security options, other runtimes. */
  readonly denyPrivileged?: boolean | undefined;
  /** Absolute directories: only they and what is below may be mounted. Empty: nothing of the host. */
  readonly bindPrefixes?: readonly string[] | undefined;
  /** Those that may be shared. Empty: none. */
  readonly hostNamespaces?: readonly HostNamespace[] | undefined;
}

/** Which rule says no, and why. */
export interface Denial {
  readonly rule: keyof Policy;
  readonly message: string;
}

/** Without a policy file: everything. */
export const OPEN_POLICY: Policy = {};

/** Whether this actor may use this verb here. */
export function denyVerb(policy: Policy, verb: FleetVerb, actor: FleetActor): Denial | undefined {
  if (policy.verbs !== undefined && !policy.verbs.includes(verb)) return denial('verbs', `${verb} is not allowed here`);
  return denyActor(policy, actor);
}

/** Whether this actor may open such a session here. What is asked on a tunnel is judged request by request. */
export function denySession(policy: Policy, kind: SessionKind, actor: FleetActor): Denial | undefined {
  if (policy.sessions?.includes(kind) === false)
    return denial('sessions', `a session of kind ${kind} is not allowed here`);
  return denyActor(policy, actor);
}

/** Whether something may be changed for which the fleet has no verb: whoever limits what containers may be has not allowed it. */
export function denyOther(policy: Policy, what: string): Denial | undefined {
  const { verbs, bindPrefixes, hostNamespaces, images, denyPrivileged } = policy;
  const isLimited = [verbs, bindPrefixes, hostNamespaces, images].some((rule) => rule !== undefined);
  if (!isLimited && denyPrivileged !== true) return undefined;
  return denial('verbs', `${what} is none of the fleet's verbs, and this host is limited to them`);
}

/** Whether a program may be given more than its container has. */
export function denyPrivilegedExec(policy: Policy): Denial | undefined {
  return policy.denyPrivileged === true ? denial('denyPrivileged', 'a privileged exec is not allowed here') : undefined;
}

/** Whether a container may be given so much time to exit; null: without end. */
export function denyGrace(policy: Policy, graceMs: number | null): Denial | undefined {
  const { maxGraceMs = Infinity } = policy;
  if ((graceMs ?? Infinity) <= maxGraceMs) return undefined;
  return denial('maxGraceMs', `a grace of ${graceMs ?? 'unlimited'} ms is longer than ${maxGraceMs} ms`);
}

/** Whether this image may be used; its spellings are all of one image. */
export function denyImage(policy: Policy, spellings: readonly string[]): Denial | undefined {
  const { images } = policy;
  if (images === undefined || spellings.some((image) => matchesAny(images, image))) return undefined;
  return denial('images', `image ${spellings[0] ?? ''} is not allowed here`);
}

/** Whether such a container may be made. `sources` are the host's paths it mounts, without symbolic links. */
export function denyContainer(
  policy: Policy,
  body: CreateContainerBody,
  sources: readonly string[],
): Denial | undefined {
  const lifted = policy.denyPrivileged === true ? privilegeOf(body) : undefined;
  if (lifted !== undefined) return denial('denyPrivileged', `${lifted} is not allowed here`);
  const shared = hostNamespacesOf(body).find((namespace) => policy.hostNamespaces?.includes(namespace) === false);
  if (shared !== undefined) return denial('hostNamespaces', `the host's ${shared} namespace may not be shared here`);
  const { bindPrefixes } = policy;
  const outside =
    bindPrefixes === undefined
      ? undefined
      : sources.find((path) => !bindPrefixes.some((prefix) => isBelow(path, prefix)));
  return outside === undefined ? undefined : denial('bindPrefixes', `${outside} may not be mounted here`);
}

/** The host's paths that a container would mount, as they were written. A local volume with a device is one as well. */
export function bindSourcesOf(body: CreateContainerBody): readonly string[] {
  const { Binds, Mounts } = body.HostConfig;
  const binds = (Binds ?? []).map((bind) => bind.split(':')[0] ?? '').filter((source) => source.startsWith('/'));
  const mounts = Mounts.flatMap(({ Type, Source, VolumeOptions }) => {
    if (Type === 'bind') return [Source];
    const options = VolumeOptions?.DriverConfig?.Options ?? {};
    return Object.entries(options).flatMap(([name, value]) => (name.toLowerCase() === 'device' ? [value] : []));
  });
  return [...binds, ...mounts];
}

/** Whether this actor may do anything here at all. */
export function denyActor(policy: Policy, { name, role }: FleetActor): Denial | undefined {
  if (policy.roles !== undefined && !policy.roles.includes(role)) {
    return denial('roles', `the role ${role} may do nothing here`);
  }
  if (policy.actors === undefined || matchesAny(policy.actors, name)) return undefined;
  return denial('actors', `${name} may do nothing here`);
}

/** The first setting that takes a wall away; undefined: none does. */
function privilegeOf(body: CreateContainerBody): string | undefined {
  const host = body.HostConfig;
  const loosening = (host.SecurityOpt ?? []).filter((option) => !/^no-new-privileges([:=]true)?$/.test(option));
  const settings: readonly (readonly [name: string, isSet: boolean])[] = [
    ['Privileged', host.Privileged],
    ['CapAdd', (host.CapAdd ?? []).length > 0],
    ['Devices', host.Devices.length > 0],
    ['DeviceCgroupRules', (host.DeviceCgroupRules ?? []).length > 0],
    ['DeviceRequests', (host.DeviceRequests ?? []).length > 0],
    [`SecurityOpt ${loosening[0] ?? ''}`, loosening.length > 0],
    ['Runtime', host.Runtime !== ''],
    ['CgroupParent', host.CgroupParent !== ''],
    // null: the engine's own list. Whatever a client sends replaces it.
    ['MaskedPaths', host.MaskedPaths !== null],
    ['ReadonlyPaths', host.ReadonlyPaths !== null],
    ['VolumeDriver', host.VolumeDriver !== '' && host.VolumeDriver !== 'local'],
  ];
  return settings.find(([, isSet]) => isSet)?.[0];
}

function hostNamespacesOf({ HostConfig }: CreateContainerBody): readonly HostNamespace[] {
  const modes: readonly (readonly [HostNamespace, string])[] = [
    ['network', HostConfig.NetworkMode],
    ['pid', HostConfig.PidMode],
    ['ipc', HostConfig.IpcMode],
    ['uts', HostConfig.UTSMode],
    ['user', HostConfig.UsernsMode],
    ['cgroup', HostConfig.CgroupnsMode],
  ];
  return modes.filter(([, mode]) => mode === 'host').map(([namespace]) => namespace);
}

function isBelow(path: string, prefix: string): boolean {
  const directory = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix;
  return path === directory || path.startsWith(`${directory}/`);
}

function matchesAny(patterns: readonly string[], text: string): boolean {
  return patterns.some((pattern) => matches(pattern.split('*'), text));
}

/** The parts between the stars, each found behind the one before it: no backtracking, so no pattern takes long. */
function matches(parts: readonly string[], text: string): boolean {
  const [first = '', ...rest] = parts;
  if (rest.length === 0) return text === first;
  const last = rest.at(-1) ?? '';
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  for (const part of rest.slice(0, -1)) {
    const found = text.indexOf(part, at);
    if (found === -1 || found + part.length > text.length - last.length) return false;
    at = found + part.length;
  }
  return true;
}

function denial(rule: keyof Policy, message: string): Denial {
  return { rule, message };
}
