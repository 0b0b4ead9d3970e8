import type { OciSeccomp, OciSyscall } from './oci.ts';
import { atLeast, type KernelVersion } from './kernel-version.ts';
import type { SeccompProfile, SeccompRule } from './seccomp-profile.ts';

/** What a profile's conditions are decided by. */
export interface SeccompTarget {
  /** Go's name for the machine, as profiles use it: `amd64`, `arm64`. */
  readonly architecture: string;
  readonly kernel: KernelVersion;
}

/** Profiles kept translated; containers of one host use few different sets of capabilities. Our own figure. */
const TRANSLATIONS_MAX = 32;

/** Go's architecture names → libseccomp's. Source: moby profiles/seccomp/seccomp_linux.go, nativeToSeccomp. */
const SECCOMP_ARCHITECTURE: Readonly<Record<string, string>> = {
  '386': 'SCMP_ARCH_X86',
  amd64: 'SCMP_ARCH_X86_64',
  arm: 'SCMP_ARCH_ARM',
  arm64: 'SCMP_ARCH_AARCH64',
  loong64: 'SCMP_ARCH_LOONGARCH64',
  mips64: 'SCMP_ARCH_MIPS64',
  mips64le: 'SCMP_ARCH_MIPSEL64',
  ppc64: 'SCMP_ARCH_PPC64',
  ppc64le: 'SCMP_ARCH_PPC64LE',
  riscv64: 'SCMP_ARCH_RISCV64',
  s390x: 'SCMP_ARCH_S390X',
};

/**
 * Decides a profile's conditions for one container.
 *
 * @returns undefined when the profile says nothing at all: then there is no filter, as in Docker.
 */
export function translateSeccomp(
  profile: SeccompProfile,
  target: SeccompTarget,
  capabilities: readonly string[],
): OciSeccomp | undefined {
  if (profile.defaultAction === '' && profile.syscalls.length === 0) return undefined;
  const held = new Set(capabilities);
  return {
    defaultAction: profile.defaultAction,
    ...(profile.defaultErrnoRet === undefined ? {} : { defaultErrnoRet: profile.defaultErrnoRet }),
    architectures: architecturesOf(profile, target),
    ...(profile.flags.length === 0 ? {} : { flags: profile.flags }),
    ...(profile.listenerPath === '' ? {} : { listenerPath: profile.listenerPath }),
    ...(profile.listenerMetadata === '' ? {} : { listenerMetadata: profile.listenerMetadata }),
    syscalls: profile.syscalls.filter((rule) => applies(rule, target, held)).map(toOciSyscall),
  };
}

/** `translateSeccomp` for one profile, remembering the last sets of capabilities: the same set gives the same object. */
export function seccompTranslator(
  profile: SeccompProfile,
  target: SeccompTarget,
): (capabilities: readonly string[]) => OciSeccomp | undefined {
  const translated = new Map<string, OciSeccomp | undefined>();
  return (capabilities) => {
    const key = capabilities.toSorted().join();
    if (!translated.has(key)) {
      if (translated.size >= TRANSLATIONS_MAX) translated.clear();
      translated.set(key, translateSeccomp(profile, target, capabilities));
    }
    return translated.get(key);
  };
}

function architecturesOf(profile: SeccompProfile, target: SeccompTarget): readonly string[] {
  if (profile.architectures.length > 0) return profile.architectures;
  const own = SECCOMP_ARCHITECTURE[target.architecture];
  const entry = profile.archMap.find((candidate) => candidate.architecture === own);
  return entry === undefined ? [] : [entry.architecture, ...entry.subArchitectures];
}

function applies(rule: SeccompRule, target: SeccompTarget, held: ReadonlySet<string>): boolean {
  const { includes, excludes } = rule;
  if (excludes.arches.includes(target.architecture)) return false;
  if (excludes.caps.some((name) => held.has(name))) return false;
  if (excludes.minKernel !== undefined && atLeast(target.kernel, excludes.minKernel)) return false;
  if (includes.arches.length > 0 && !includes.arches.includes(target.architecture)) return false;
  if (!includes.caps.every((name) => held.has(name))) return false;
  return includes.minKernel === undefined || atLeast(target.kernel, includes.minKernel);
}

function toOciSyscall(rule: SeccompRule): OciSyscall {
  return {
    names: rule.names,
    action: rule.action,
    ...(rule.errnoRet === undefined ? {} : { errnoRet: rule.errnoRet }),
    ...(rule.args.length === 0 ? {} : { args: rule.args }),
  };
}
