import { EngineError } from '@fairlead/protocol';
import { join } from 'node:path';
import { dockerConfigDir, field, readDocument } from '../endpoint/docker-config.ts';
import type { Environment } from '../endpoint/environment.ts';
import { getCredentials, listCredentials } from './credential-helper.ts';
import type { RegistryLogin } from './registry-login.ts';

/** The logins that Docker's CLI keeps: in `config.json`, or with the programs named there. Read anew each time. */
export interface DockerLogins {
  /** Undefined when there is none. `key` as of `registryKey`. */
  get(key: string, signal: AbortSignal): Promise<RegistryLogin | undefined>;
  /** Every one, by key. */
  all(signal: AbortSignal): Promise<ReadonlyMap<string, RegistryLogin>>;
}

/**
 * The logins of whom the environment belongs to: `DOCKER_CONFIG`, else `~/.docker`.
 *
 * Its methods throw EngineError 'invalid-argument' when the file cannot be read, 'unavailable' when a credential helper fails.
 */
export function dockerLogins(env: Environment): DockerLogins {
  const read = (): Promise<unknown> => readDocument(join(dockerConfigDir(env), 'config.json'));
  return {
    async get(key, signal) {
      const config = await read();
      const helper = helperFor(config, key);
      if (helper !== undefined) return await getCredentials({ helper, env }, key, signal);
      return savedLogins(config).get(hostOf(key));
    },
    async all(signal) {
      const config = await read();
      const store = field(config, 'credsStore');
      const inStore =
        typeof store === 'string' && store !== '' ? await listCredentials({ helper: store, env }, signal) : [];
      const asked = [...inStore.map((name) => [name, String(store)] as const), ...helpersIn(config)];
      const saved = savedLogins(config);
      const found = new Map<string, RegistryLogin>();
      for (const name of savedNames(config)) keep(found, name, saved.get(hostOf(name)));
      for (const [name, helper] of asked) keep(found, name, await getCredentials({ helper, env }, name, signal));
      return found;
    },
  };
}

function keep(logins: Map<string, RegistryLogin>, key: string, login: RegistryLogin | undefined): void {
  if (login !== undefined) logins.set(key, login);
}

function helpersIn(config: unknown): ReadonlyMap<string, string> {
  const helpers = field(config, 'credHelpers');
  const entries = typeof helpers === 'object' && helpers !== null ? Object.entries(helpers) : [];
  return new Map(entries.flatMap(([name, helper]) => (typeof helper === 'string' ? [[name, helper] as const] : [])));
}

/** The helper of this registry, else the one of all; undefined when logins are kept in the file. Source: docker/cli cli/config/configfile/file.go, getConfiguredCredentialStore. */
export function helperFor(config: unknown, key: string): string | undefined {
  const own = helpersIn(config).get(key) ?? helpersIn(config).get(hostOf(key));
  if (own !== undefined && own !== '') return own;
  const store = field(config, 'credsStore');
  return typeof store === 'string' && store !== '' ? store : undefined;
}

function savedNames(config: unknown): readonly string[] {
  const auths = field(config, 'auths');
  return typeof auths === 'object' && auths !== null ? Object.keys(auths) : [];
}

/** By host: older versions of the CLI kept addresses with scheme and path. Source: docker/cli cli/config/credentials/file_store.go. */
function savedLogins(config: unknown): ReadonlyMap<string, RegistryLogin> {
  const auths = field(config, 'auths');
  const found = new Map<string, RegistryLogin>();
  for (const name of savedNames(config)) keep(found, hostOf(name), savedLogin(field(auths, name)));
  return found;
}

function savedLogin(entry: unknown): RegistryLogin | undefined {
  const text = (name: string): string | undefined => {
    const value = field(entry, name);
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const auth = text('auth');
  const [identityToken, registryToken] = [text('identitytoken'), text('registrytoken')];
  const named = auth === undefined ? { username: text('username'), password: text('password') } : userOf(auth);
  const isEmpty = named.username === undefined && identityToken === undefined && registryToken === undefined;
  return isEmpty ? undefined : { ...named, identityToken, registryToken };
}

/** `USER:PASSWORD` in base64; a password may have colons. */
function userOf(auth: string): { readonly username: string; readonly password: string } {
  const text = Buffer.from(auth, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon <= 0) throw new EngineError('invalid-argument', 'invalid auth configuration file');
  // Some writers fill it up. Source: docker/cli cli/config/configfile/file.go, decodeAuth.
  return { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, '') };
}

/** A key without scheme and path: older versions of the CLI kept addresses. */
export function hostOf(key: string): string {
  return key.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
}
