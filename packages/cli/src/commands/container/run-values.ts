import { readFile } from 'node:fs/promises';
import { ExitError, EXIT_USAGE } from '../../exit-codes.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** `K=V` as it is; `K` alone takes our own value, and is left out when we have none. Source: docker/cli opts/env.go. */
export function readEnv(typed: readonly string[], env: Environment): readonly string[] {
  return typed.flatMap((entry) => {
    if (entry.includes('=')) return [entry];
    const value = env[entry];
    return value === undefined ? [] : [`${entry}=${value}`];
  });
}

/** Lines of files, without empty ones and those that begin with `#`. @throws ExitError when one cannot be read. */
export async function readEnvFiles(paths: readonly string[], env: Environment): Promise<readonly string[]> {
  return readEnv(await linesOf(paths), env);
}

/** As `readEnvFiles`, for labels. */
export async function readLabelFiles(paths: readonly string[]): Promise<readonly string[]> {
  return await linesOf(paths);
}

async function linesOf(paths: readonly string[]): Promise<readonly string[]> {
  const texts = await Promise.all(
    paths.map(async (path) => {
      try {
        return await readFile(path, 'utf8');
      } catch (cause) {
        throw new ExitError(EXIT_USAGE, `open ${path}: no such file or directory`, { cause });
      }
    }),
  );
  return texts.flatMap((text) => text.split(/\r?\n/)).filter((line) => line !== '' && !line.startsWith('#'));
}

/** `a=1`, `b` → `{a: '1', b: ''}` */
export function labelMap(typed: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(typed.map((entry) => splitOnce(entry, '=')));
}

/** `/run:size=1m` → `{'/run': 'size=1m'}` */
export function tmpfsMap(typed: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(typed.map((entry) => splitOnce(entry, ':')));
}

/** @throws Error in the words of docker/cli opts/env.go. */
export function checkEnv(typed: string): void {
  if (typed === '' || typed.startsWith('=')) throw new Error(`invalid environment variable: ${typed}`);
}

/** @throws Error in the words of docker/cli opts/hosts.go. */
export function addHost(typed: string): void {
  if (!/^[^:=]+[:=].+$/.test(typed)) throw new Error(`bad format for add-host: "${typed}"`);
}

/** `0.5` CPUs in billionths. @throws Error in the words of docker/cli opts/opts.go. */
export function cpusToNanos(typed: string): number {
  const cpus = Number(typed);
  if (typed.trim() === '' || !Number.isFinite(cpus)) throw new Error(`failed to parse ${typed} as a rational number`);
  const nanos = cpus * 1e9;
  if (!Number.isInteger(Math.round(nanos * 1e3) / 1e3)) throw new Error('value is too precise');
  return Math.round(nanos);
}

/** `nofile=1024:2048`. @throws ExitError in the words of docker/go-units ulimit.go. */
export function parseUlimit(typed: string): { readonly Name: string; readonly Soft: number; readonly Hard: number } {
  const match = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(typed);
  if (match === null) {
    throw new ExitError(
      EXIT_USAGE,
      `invalid argument "${typed}" for "--ulimit" flag: invalid ulimit argument: ${typed}`,
    );
  }
  const [, Name = '', soft = '0', hard = soft] = match;
  return { Name, Soft: Number(soft), Hard: Number(hard) };
}

/** `seccomp=FILE` is sent as the file's content; everything else as it is. @throws ExitError when it cannot be read. */
export async function securityOption(typed: string): Promise<string> {
  const [key, value] = splitOnce(typed, '=');
  if (key !== 'seccomp' || value === '' || value === 'unconfined' || value === 'builtin') return typed;
  try {
    return `seccomp=${JSON.stringify(JSON.parse(await readFile(value, 'utf8')))}`;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ExitError(EXIT_USAGE, `opening seccomp profile (${value}) failed: ${why}`, { cause });
  }
}

function splitOnce(entry: string, separator: string): readonly [string, string] {
  const at = entry.indexOf(separator);
  return at === -1 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)];
}
