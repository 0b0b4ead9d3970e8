import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { ProgramFacts, SystemFacts } from '../../core/system/system-facts.ts';
import { readTextIfExists } from '../../host/files.ts';
import { runProgram } from '../../host/process.ts';

/** These files of the host are a line or a page. Our own figure. */
const TEXT_BYTES_MAX = 64 * 1024;
/** A program asked for its version answers in milliseconds. Our own figure. */
const VERSION_TIMEOUT_MS = 5_000;

export type HostSystemFacts = Pick<
  SystemFacts,
  'nodeVersion' | 'hostName' | 'kernelRelease' | 'operatingSystem' | 'osVersion' | 'ipv4Forwarding'
>;

/** What this host says of itself, beside what specs depend on. */
export async function readSystemFacts(): Promise<HostSystemFacts> {
  const read = async (path: string): Promise<string> => (await readTextIfExists(path, TEXT_BYTES_MAX)) ?? '';
  const [kernelRelease, osRelease, forwarding] = await Promise.all([
    read('/proc/sys/kernel/osrelease'),
    read('/etc/os-release'),
    read('/proc/sys/net/ipv4/ip_forward'),
  ]);
  return {
    nodeVersion: process.version,
    hostName: hostname(),
    kernelRelease: kernelRelease.trim(),
    operatingSystem: shellValue(osRelease, 'PRETTY_NAME'),
    osVersion: shellValue(osRelease, 'VERSION_ID'),
    ipv4Forwarding: forwarding.trim() === '1',
  };
}

/** Asks a program for its version. One that does not answer is used all the same. */
export async function readProgramFacts(program: {
  readonly name: string;
  readonly path: string;
}): Promise<ProgramFacts> {
  const { name, path } = program;
  try {
    const { stdout } = await runProgram(path, ['--version'], { signal: AbortSignal.timeout(VERSION_TIMEOUT_MS) });
    return { name, path, version: /\d+(?:\.\d+)+[^\s]*/.exec(stdout)?.[0] ?? '' };
  } catch {
    // Its version is a fact for people only.
    return { name, path, version: '' };
  }
}

/** A new identity, for a root that has none yet. */
export function newEngineId(): string {
  return randomUUID();
}

function shellValue(text: string, key: string): string {
  return new RegExp(`^${key}="?([^"\\n]*)"?$`, 'm').exec(text)?.[1] ?? '';
}
