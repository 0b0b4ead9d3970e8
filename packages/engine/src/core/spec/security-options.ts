import { EngineError } from '@fairlead/protocol';
import { parseSeccompProfile, type SeccompProfile } from './seccomp-profile.ts';

/** What HostConfig.SecurityOpt asks for. */
export interface SecurityOptions {
  readonly noNewPrivileges: boolean;
  readonly seccomp: SeccompChoice;
  /** undefined: not said. */
  readonly appArmorProfile: string | undefined;
  /** SELinux labels other than `disable`. */
  readonly labels: readonly string[];
}

export type SeccompChoice =
  | { readonly use: 'default' }
  | { readonly use: 'unconfined' }
  | { readonly use: 'profile'; readonly profile: SeccompProfile };

/**
 * Reads security options: `no-new-privileges[=true]`, `seccomp=unconfined|builtin|{…}`, `apparmor=…`, `label=…`. The
 * docker CLI has replaced a file name by the file's content.
 *
 * @throws EngineError 'invalid-argument' `invalid --security-opt 1: "bogus"`. Source: moby v28 parseSecurityOpt.
 */
export function parseSecurityOptions(options: readonly string[]): SecurityOptions {
  let parsed: SecurityOptions = {
    noNewPrivileges: false,
    seccomp: { use: 'default' },
    appArmorProfile: undefined,
    labels: [],
  };
  for (const option of options) {
    if (option === 'no-new-privileges') parsed = { ...parsed, noNewPrivileges: true };
    else if (option !== 'disable') parsed = { ...parsed, ...parsePair(option, parsed) };
  }
  return parsed;
}

function parsePair(option: string, before: SecurityOptions): Partial<SecurityOptions> {
  const separator = option.includes('=') ? '=' : ':';
  const at = option.indexOf(separator);
  if (at < 0) throw invalid(1, option);
  const value = option.slice(at + 1);
  switch (option.slice(0, at)) {
    case 'no-new-privileges':
      return { noNewPrivileges: parseBool(value, option) };
    case 'seccomp':
      return { seccomp: parseSeccomp(value) };
    case 'apparmor':
      return { appArmorProfile: value };
    case 'label':
      return value === 'disable' ? {} : { labels: [...before.labels, value] };
    default:
      throw invalid(2, option);
  }
}

function parseSeccomp(value: string): SeccompChoice {
  if (value === 'unconfined') return { use: 'unconfined' };
  if (value === 'builtin' || value === '') return { use: 'default' };
  return { use: 'profile', profile: parseSeccompProfile(value) };
}

/** As Go's strconv.ParseBool. */
function parseBool(text: string, option: string): boolean {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false;
  throw invalid(2, option);
}

function invalid(place: 1 | 2, option: string): EngineError {
  return new EngineError('invalid-argument', `invalid --security-opt ${place}: ${JSON.stringify(option)}`);
}
