import { EngineError, type Ulimit } from '@fairlead/protocol';
import type { OciRlimit, OciRlimitValue } from './oci.ts';

/** Names of limits as Docker takes them: those of setrlimit(2) without `RLIMIT_`, in lower case. Source: docker/go-units, ulimit.go. */
const ULIMIT_NAMES: ReadonlySet<string> = new Set([
  'core',
  'cpu',
  'data',
  'fsize',
  'locks',
  'memlock',
  'msgqueue',
  'nice',
  'nofile',
  'nproc',
  'rss',
  'rtprio',
  'rttime',
  'sigpending',
  'stack',
]);

/** The kernel's RLIM_INFINITY, which a JavaScript number cannot hold. */
const UNLIMITED = '18446744073709551615';

/** @throws EngineError 'invalid-argument' `invalid ulimit type: x`, or when soft is above hard. */
export function checkUlimits(ulimits: readonly Ulimit[]): void {
  for (const { Name: name, Soft: soft, Hard: hard } of ulimits) {
    if (!ULIMIT_NAMES.has(name.toLowerCase()))
      throw new EngineError('invalid-argument', `invalid ulimit type: ${name}`);
    const softest = soft < 0 ? Infinity : soft;
    if (softest <= (hard < 0 ? Infinity : hard)) continue;
    const words = `ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`;
    throw new EngineError('invalid-argument', words);
  }
}

/** Limits in OCI's words; negative is none. */
export function ociRlimits(ulimits: readonly Ulimit[]): readonly OciRlimit[] {
  return ulimits.map(({ Name: name, Soft: soft, Hard: hard }) => ({
    type: `RLIMIT_${name.toUpperCase()}`,
    soft: rlimitValue(soft),
    hard: rlimitValue(hard),
  }));
}

function rlimitValue(value: number): OciRlimitValue {
  return value < 0 ? rawJson(UNLIMITED) : value;
}

/** JSON.rawJSON is in Node since version 21; TypeScript's library does not know it yet. */
declare global {
  interface JSON {
    rawJSON(text: string): { readonly rawJSON: string };
  }
}

function rawJson(text: string): OciRlimitValue {
  return JSON.rawJSON(text);
}
