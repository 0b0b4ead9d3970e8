import { mkdir, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dockerConfigDir, field, readDocument } from '../endpoint/docker-config.ts';
import type { Environment } from '../endpoint/environment.ts';
import { eraseCredentials, storeCredentials } from './credential-helper.ts';
import { helperFor, hostOf } from './docker-logins.ts';
import type { RegistryLogin } from './registry-login.ts';

/** Which login, and of whom. */
export interface KeptLogin {
  readonly env: Environment;
  /** As of `registryKey`. */
  readonly key: string;
}

/**
 * Keeps a login where Docker's CLI keeps it: with the credential helper that its settings name, else in the settings, where whoever reads
 * the file reads the password.
 *
 * @returns the file's path when the password stands in it. @throws EngineError when the file or the helper cannot be had.
 */
export async function keepLogin(
  { env, key }: KeptLogin,
  login: RegistryLogin,
  signal: AbortSignal,
): Promise<string | undefined> {
  const config = await readConfig(env);
  const helper = helperFor(config, key);
  if (helper !== undefined) {
    await storeCredentials({ helper, env }, { key, login }, signal);
    await writeConfig(env, withAuth(config, key, {}));
    return undefined;
  }
  const { username = '', password = '', identityToken } = login;
  // Where there is a token the password is not kept, as in Docker's CLI.
  const secret = identityToken === undefined ? password : '';
  const auth = Buffer.from(`${username}:${secret}`).toString('base64');
  const entry = identityToken === undefined ? { auth } : { auth, identitytoken: identityToken };
  return await writeConfig(env, withAuth(config, key, entry));
}

/** Forgets a login. @returns false when there was none. @throws as `keepLogin`. */
export async function forgetLogin({ env, key }: KeptLogin, signal: AbortSignal): Promise<boolean> {
  const config = await readConfig(env);
  const auths = Object.entries(objectIn(config, 'auths'));
  const kept = auths.filter(([name]) => hostOf(name) !== hostOf(key));
  const helper = helperFor(config, key);
  if (helper !== undefined) await eraseCredentials({ helper, env }, key, signal);
  if (kept.length === auths.length) return false;
  await writeConfig(env, { ...config, auths: Object.fromEntries(kept) });
  return true;
}

async function readConfig(env: Environment): Promise<Readonly<Record<string, unknown>>> {
  const config = await readDocument(join(dockerConfigDir(env), 'config.json'));
  return typeof config === 'object' && config !== null ? { ...config } : {};
}

function withAuth(
  config: Readonly<Record<string, unknown>>,
  key: string,
  entry: Readonly<Record<string, string>>,
): Readonly<Record<string, unknown>> {
  return { ...config, auths: { ...objectIn(config, 'auths'), [key]: entry } };
}

function objectIn(config: unknown, name: string): object {
  const value = field(config, name);
  return typeof value === 'object' && value !== null ? value : {};
}

/** Whole or not at all, and for its owner alone. */
async function writeConfig(env: Environment, config: object): Promise<string> {
  const directory = dockerConfigDir(env);
  const named = join(directory, 'config.json');
  // Some keep it elsewhere, behind a link, which stays.
  const path = await realpath(named).catch(() => named);
  const unfinished = `${path}.${process.pid}`;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  try {
    await writeFile(unfinished, `${JSON.stringify(config, null, '\t')}\n`, { mode: 0o600, flag: 'wx' });
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
  return path;
}
