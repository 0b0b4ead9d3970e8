/** Docker's PATH for containers that set none. Source: moby daemon/pkg/oci, DefaultPathEnv. */
export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface EnvironmentRequest {
  readonly hostname: string;
  readonly tty: boolean;
  /** The container's own variables, `K=V`; `K` alone takes one away. */
  readonly env: readonly string[];
  /** Appended as HOME unless the container sets it to something; undefined leaves it out. */
  readonly home: string | undefined;
}

/** What a process finds in its environment: PATH, HOSTNAME, TERM with a terminal, then the container's own. */
export function buildEnvironment(request: EnvironmentRequest): readonly string[] {
  const base = [`PATH=${DEFAULT_PATH}`, `HOSTNAME=${request.hostname}`, ...(request.tty ? ['TERM=xterm'] : [])];
  const env = overrideEnvironment(base, request.env);
  if (request.home === undefined) return env;
  const others = env.filter((entry) => entry !== 'HOME=');
  return others.some((entry) => keyOf(entry) === 'HOME') ? others : [...others, `HOME=${request.home}`];
}

/**
 * Applies `overrides` to `base`: a key that is there keeps its place and gets the new value, a new one is appended, and
 * one without `=` is taken away. Source: moby container/env.go, ReplaceOrAppendEnvValues.
 */
export function overrideEnvironment(base: readonly string[], overrides: readonly string[]): readonly string[] {
  const result = new Map(base.map((entry) => [keyOf(entry), entry]));
  for (const entry of overrides) {
    if (entry.includes('=')) result.set(keyOf(entry), entry);
    else result.delete(entry);
  }
  return [...result.values()];
}

/** The name in `K=V`; a text without `=` is one itself. */
export function keyOf(entry: string): string {
  const at = entry.indexOf('=');
  return at < 0 ? entry : entry.slice(0, at);
}
