import { EngineError } from '@fairlead/protocol';
import type { OciCapabilities } from './oci.ts';

/** What a container may do when nobody asked for more or less. Source: moby v28 daemon/pkg/oci/caps, DefaultCapabilities. */
export const DEFAULT_CAPABILITIES: readonly string[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FSETID',
  'CAP_FOWNER',
  'CAP_MKNOD',
  'CAP_NET_RAW',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETFCAP',
  'CAP_SETPCAP',
  'CAP_NET_BIND_SERVICE',
  'CAP_SYS_CHROOT',
  'CAP_KILL',
  'CAP_AUDIT_WRITE',
];

/** Every capability Linux knows, at the index that is its number. Source: include/uapi/linux/capability.h, Linux 6.x. */
export const KNOWN_CAPABILITIES: readonly string[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_DAC_READ_SEARCH',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETPCAP',
  'CAP_LINUX_IMMUTABLE',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_BROADCAST',
  'CAP_NET_ADMIN',
  'CAP_NET_RAW',
  'CAP_IPC_LOCK',
  'CAP_IPC_OWNER',
  'CAP_SYS_MODULE',
  'CAP_SYS_RAWIO',
  'CAP_SYS_CHROOT',
  'CAP_SYS_PTRACE',
  'CAP_SYS_PACCT',
  'CAP_SYS_ADMIN',
  'CAP_SYS_BOOT',
  'CAP_SYS_NICE',
  'CAP_SYS_RESOURCE',
  'CAP_SYS_TIME',
  'CAP_SYS_TTY_CONFIG',
  'CAP_MKNOD',
  'CAP_LEASE',
  'CAP_AUDIT_WRITE',
  'CAP_AUDIT_CONTROL',
  'CAP_SETFCAP',
  'CAP_MAC_OVERRIDE',
  'CAP_MAC_ADMIN',
  'CAP_SYSLOG',
  'CAP_WAKE_ALARM',
  'CAP_BLOCK_SUSPEND',
  'CAP_AUDIT_READ',
  'CAP_PERFMON',
  'CAP_BPF',
  'CAP_CHECKPOINT_RESTORE',
];

export interface CapabilityRequest {
  readonly add: readonly string[];
  readonly drop: readonly string[];
  readonly privileged: boolean;
}

/**
 * The capabilities of a container: Docker's default set, changed by what was asked for.
 *
 * `available` is the engine's own bounding set: nobody can hand on what he does not have.
 * @throws EngineError 'invalid-argument', prefixed `invalid CapAdd: ` or `invalid CapDrop: `.
 */
export function resolveCapabilities(request: CapabilityRequest, available: readonly string[]): readonly string[] {
  const add = normalise('CapAdd', request.add, available);
  // Dropping what is not there anyway is no mistake, so a drop only has to be a known name.
  const drop = normalise('CapDrop', request.drop, KNOWN_CAPABILITIES);
  if (request.privileged) return available;
  if (add.has('ALL')) return available.filter((name) => !drop.has(name));
  const base = drop.has('ALL')
    ? []
    : DEFAULT_CAPABILITIES.filter((name) => !drop.has(name) && available.includes(name));
  return [...new Set([...base, ...add])];
}

/** As Docker since CVE-2022-24769: nothing inheritable, nothing ambient. */
export function toOciCapabilities(names: readonly string[]): OciCapabilities {
  return { bounding: names, effective: names, permitted: names };
}

/**
 * Reads a capability mask as /proc/PID/status prints it (`CapBnd:	000001ffffffffff`).
 *
 * @returns the known names in the mask; bits newer than this list are left out.
 */
export function capabilitiesOfMask(hex: string): readonly string[] {
  const mask = BigInt(`0x${hex.trim()}`);
  return KNOWN_CAPABILITIES.filter((_name, bit) => (mask >> BigInt(bit)) & 1n);
}

function normalise(field: string, names: readonly string[], available: readonly string[]): ReadonlySet<string> {
  const normalised = new Set<string>();
  for (const name of names) {
    const upper = name.toUpperCase();
    if (upper === 'ALL') {
      normalised.add(upper);
      continue;
    }
    const full = upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
    if (!KNOWN_CAPABILITIES.includes(full)) {
      throw new EngineError('invalid-argument', `invalid ${field}: unknown capability: ${JSON.stringify(full)}`);
    }
    if (!available.includes(full)) {
      const reason = 'capability not supported by your kernel or not available in the current environment';
      throw new EngineError('invalid-argument', `invalid ${field}: ${reason}: ${JSON.stringify(full)}`);
    }
    normalised.add(full);
  }
  return normalised;
}
