import { EngineError } from '@fairlead/protocol';
import { stat } from 'node:fs/promises';
import { parseAddress } from '../transport/address.ts';
import type { TlsSettings } from '../transport/tls.ts';
import { currentContext } from './docker-config.ts';
import { DEFAULT_CONTEXT, readDockerContext } from './docker-context.ts';
import type { EngineEndpoint } from './endpoint.ts';
import { type Environment, variable } from './environment.ts';
import { readTlsFiles, tlsForHttps, tlsFromEnvironment } from './tls-files.ts';

/** Where Fairlead listens when nobody says otherwise. */
export const FAIRLEAD_SOCKET = '/run/fairlead/fairlead.sock';
/** Where Docker listens. Source: docker client, DefaultDockerHost. */
export const DOCKER_SOCKET = '/var/run/docker.sock';
/** Where Docker is looked for when TLS is asked for and no address given. Source: docker/cli opts/hosts.go, defaultTLSHost. */
const TLS_HOST = 'tcp://localhost:2376';

/** What a caller may say about the engine; what it does not say is in the environment and in Docker's configuration. */
export interface EndpointChoice {
  readonly host?: string | undefined;
  /** A context of Docker's CLI. */
  readonly context?: string | undefined;
  /** `certPath` is a directory with `ca.pem`, `cert.pem` and `key.pem`; false: no TLS, whatever the environment says. */
  readonly tls?: (TlsSettings & { readonly certPath?: string | undefined }) | false | undefined;
}

/**
 * Finds the engine as Docker's CLI does: the explicit host or context, `DOCKER_HOST`, `DOCKER_CONTEXT`, the context that is in use,
 * else the socket on this machine (Fairlead's if it is there, else Docker's).
 *
 * @throws EngineError 'invalid-argument' when host and context are both given, or something cannot be read; 'not-found' for a context.
 */
export async function engineEndpoint(choice: EndpointChoice, env: Environment): Promise<EngineEndpoint> {
  const name = await contextName(choice, env);
  const found = name === DEFAULT_CONTEXT ? undefined : await readDockerContext(name, env);
  if (found === undefined) return await defaultEndpoint(choice, env);
  return choice.tls === undefined ? found : { ...found, tls: await tlsOf(choice, env) };
}

/** The context that is in force; `default` when it is none. @throws as `engineEndpoint`. */
export async function contextName(choice: EndpointChoice, env: Environment): Promise<string> {
  if (choice.host !== undefined && choice.context !== undefined) {
    throw new EngineError('invalid-argument', 'conflicting options: cannot specify both --host and --context');
  }
  if (choice.context !== undefined && choice.context !== '') return choice.context;
  if (choice.host !== undefined || variable(env, 'DOCKER_HOST') !== undefined) return DEFAULT_CONTEXT;
  return variable(env, 'DOCKER_CONTEXT') ?? (await currentContext(env)) ?? DEFAULT_CONTEXT;
}

async function defaultEndpoint(choice: EndpointChoice, env: Environment): Promise<EngineEndpoint> {
  const host = choice.host ?? variable(env, 'DOCKER_HOST');
  const address = host === undefined ? undefined : parseAddress(host);
  // Only TCP has it: what the environment says about TLS is not even read for a socket.
  if (address !== undefined && address.scheme !== 'tcp') return { address, tls: undefined };
  const tls = (await tlsOf(choice, env)) ?? (address?.secure === true ? await tlsForHttps(env) : undefined);
  return { address: address ?? parseAddress(tls === undefined ? await localHost() : TLS_HOST), tls };
}

async function tlsOf({ tls }: EndpointChoice, env: Environment): Promise<TlsSettings | undefined> {
  if (tls === undefined) return await tlsFromEnvironment(env);
  if (tls === false) return undefined;
  const { certPath, ...settings } = tls;
  return certPath === undefined ? settings : { ...(await readTlsFiles(certPath)), ...settings };
}

async function localHost(): Promise<string> {
  const isThere = await stat(FAIRLEAD_SOCKET).then(
    (found) => found.isSocket(),
    () => false,
  );
  return `unix://${isThere ? FAIRLEAD_SOCKET : DOCKER_SOCKET}`;
}
