import { EngineError } from '@fairlead/protocol';
import type { OciSyscallArg } from './oci.ts';
import type { KernelVersion } from './kernel-version.ts';

/**
 * A seccomp profile with conditions, as Docker and containers-common write it; every optional part is filled in.
 *
 * Source: moby profiles/seccomp/seccomp.go; containers-common seccomp.json(5).
 */
export interface SeccompProfile {
  readonly defaultAction: string;
  readonly defaultErrnoRet: number | undefined;
  readonly architectures: readonly string[];
  readonly archMap: readonly SeccompArchitecture[];
  readonly flags: readonly string[];
  readonly listenerPath: string;
  readonly listenerMetadata: string;
  readonly syscalls: readonly SeccompRule[];
}

export interface SeccompArchitecture {
  readonly architecture: string;
  readonly subArchitectures: readonly string[];
}

export interface SeccompRule {
  readonly names: readonly string[];
  readonly action: string;
  readonly errnoRet: number | undefined;
  readonly args: readonly OciSyscallArg[];
  readonly includes: SeccompCondition;
  readonly excludes: SeccompCondition;
}

export interface SeccompCondition {
  readonly caps: readonly string[];
  readonly arches: readonly string[];
  readonly minKernel: KernelVersion | undefined;
}

/** Docker's own profile is 20 KB. Our own figure, against a profile that makes the engine chew for long. */
export const SECCOMP_PROFILE_BYTES_MAX: number = 1024 * 1024;

/**
 * Reads the text of a profile.
 *
 * @throws EngineError 'invalid-argument' `Decoding seccomp profile failed: …`.
 */
export function parseSeccompProfile(text: string): SeccompProfile {
  if (text.length > SECCOMP_PROFILE_BYTES_MAX) throw malformed(`longer than ${SECCOMP_PROFILE_BYTES_MAX} bytes`);
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new EngineError('invalid-argument', `Decoding seccomp profile failed: ${String(cause)}`, { cause });
  }
  return readProfile(document);
}

function readProfile(document: unknown): SeccompProfile {
  const fields = record(document, 'profile');
  const architectures = strings(fields['architectures'], 'architectures');
  const archMap = list(fields['archMap'], 'archMap').map(readArchitecture);
  if (architectures.length > 0 && archMap.length > 0) {
    throw new EngineError(
      'invalid-argument',
      "both 'architectures' and 'archMap' are specified in the seccomp profile, use either 'architectures' or 'archMap'",
    );
  }
  return {
    defaultAction: string(fields['defaultAction'], 'defaultAction'),
    defaultErrnoRet: integer(fields['defaultErrnoRet'], 'defaultErrnoRet'),
    architectures,
    archMap,
    flags: strings(fields['flags'], 'flags'),
    listenerPath: string(fields['listenerPath'], 'listenerPath'),
    listenerMetadata: string(fields['listenerMetadata'], 'listenerMetadata'),
    syscalls: list(fields['syscalls'], 'syscalls').map(readRule),
  };
}

function readArchitecture(document: unknown): SeccompArchitecture {
  const fields = record(document, 'archMap');
  return {
    architecture: string(fields['architecture'], 'architecture'),
    subArchitectures: strings(fields['subArchitectures'], 'subArchitectures'),
  };
}

function readRule(document: unknown): SeccompRule {
  const fields = record(document, 'syscalls');
  const name = string(fields['name'], 'name');
  const names = strings(fields['names'], 'names');
  if (name !== '' && names.length > 0) {
    throw new EngineError(
      'invalid-argument',
      "both 'name' and 'names' are specified in the seccomp profile, use either 'name' or 'names'",
    );
  }
  return {
    names: name === '' ? names : [name],
    action: string(fields['action'], 'action'),
    errnoRet: integer(fields['errnoRet'], 'errnoRet'),
    args: list(fields['args'], 'args').map(readArgument),
    includes: readCondition(fields['includes']),
    excludes: readCondition(fields['excludes']),
  };
}

function readArgument(document: unknown): OciSyscallArg {
  const fields = record(document, 'args');
  const valueTwo = integer(fields['valueTwo'], 'valueTwo');
  return {
    index: integer(fields['index'], 'index') ?? 0,
    value: integer(fields['value'], 'value') ?? 0,
    ...(valueTwo === undefined ? {} : { valueTwo }),
    op: string(fields['op'], 'op'),
  };
}

function readCondition(document: unknown): SeccompCondition {
  const fields = record(document ?? {}, 'includes');
  return {
    caps: strings(fields['caps'], 'caps'),
    arches: strings(fields['arches'], 'arches'),
    minKernel: readKernel(string(fields['minKernel'], 'minKernel')),
  };
}

function readKernel(text: string): KernelVersion | undefined {
  if (text === '') return undefined;
  const [, major, minor] = /^(\d{1,5})\.(\d{1,5})$/.exec(text) ?? [];
  if (major === undefined || minor === undefined) throw malformed(`invalid kernel version: ${JSON.stringify(text)}`);
  return { major: Number(major), minor: Number(minor) };
}

function record(value: unknown, field: string): Readonly<Record<string, unknown>> {
  if (!isRecord(value)) throw malformed(`${field} is not an object`);
  return value;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function list(value: unknown, field: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw malformed(`${field} is not an array`);
  return value;
}

function strings(value: unknown, field: string): readonly string[] {
  return list(value, field).map((item) => string(item, field));
}

function string(value: unknown, field: string): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') throw malformed(`${field} is not a string`);
  return value;
}

/** Unsigned. Values beyond 2^53 would lose their last digits and compare with something else, so they are refused. */
function integer(value: unknown, field: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw malformed(`${field} is not an unsigned integer below 2^53`);
  return value;
}

function malformed(reason: string): EngineError {
  return new EngineError('invalid-argument', `Decoding seccomp profile failed: ${reason}`);
}
