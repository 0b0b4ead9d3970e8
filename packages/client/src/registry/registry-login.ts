import { DEFAULT_DOMAIN, parseReference } from '@fairlead/protocol';

/** Who one is to a registry. It goes into headers and bodies only, never into an address. */
export interface RegistryLogin {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Instead of a password: what an earlier login gave. */
  readonly identityToken?: string | undefined;
  /** Instead of both: a bearer token for the registry itself. */
  readonly registryToken?: string | undefined;
}

/** How the docker CLI, and the engine, call Docker Hub where they keep logins. Source: moby registry/config.go, IndexServer. */
export const DOCKER_HUB = 'https://index.docker.io/v1/';

/** The key of a registry's login, `registry.example:5000`; Docker Hub's is an address. */
export function registryKey(domain: string): string {
  return domain === DEFAULT_DOMAIN ? DOCKER_HUB : domain;
}

/** The key for the registry an image's name points to. @throws EngineError 'invalid-argument' for what is no name. */
export function registryKeyOf(ref: string): string {
  return registryKey(parseReference(ref).domain);
}

/** Value of `X-Registry-Auth`. Nobody's: an empty document, without which a push is refused. */
export function encodeRegistryAuth(login: RegistryLogin | undefined, key: string): string {
  return base64Url(login === undefined ? {} : wireLogin(login, key));
}

/** Value of `X-Registry-Config`: every login, by registry. */
export function encodeRegistryConfig(logins: ReadonlyMap<string, RegistryLogin>): string {
  return base64Url(Object.fromEntries([...logins].map(([key, login]) => [key, wireLogin(login, key)])));
}

function wireLogin(login: RegistryLogin, key: string): Readonly<Record<string, string | undefined>> {
  return {
    username: login.username,
    password: login.password,
    identitytoken: login.identityToken,
    registrytoken: login.registryToken,
    serveraddress: key,
  };
}

/** Go reads the alphabet of addresses with padding only. */
function base64Url(document: object): string {
  return Buffer.from(JSON.stringify(document)).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}
