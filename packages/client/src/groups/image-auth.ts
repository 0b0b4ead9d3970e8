import { encodeRegistryAuth, type RegistryLogin } from '../registry/registry-login.ts';
import type { ClientDeps } from './group.ts';

/** Whose login is used: one's own, nobody's, or the one that Docker's CLI keeps. */
export type AuthChoice = RegistryLogin | 'anonymous' | undefined;

/** The header that says to a registry who asks. @throws as `DockerLogins`. */
export async function registryAuth(
  deps: ClientDeps,
  { key, auth }: { readonly key: string; readonly auth: AuthChoice },
  signal: AbortSignal,
): Promise<{ readonly 'X-Registry-Auth': string }> {
  const login = auth === undefined ? await (await deps.logins()).get(key, signal) : auth;
  return { 'X-Registry-Auth': encodeRegistryAuth(login === 'anonymous' ? undefined : login, key) };
}
