import { EngineError } from '@fairlead/protocol';
import { join } from 'node:path';
import type { TlsSettings } from '../transport/tls.ts';
import { dockerConfigDir, readIfThere } from './docker-config.ts';
import { type Environment, variable } from './environment.ts';

/**
 * TLS as the environment asks for it; undefined when it does not.
 *
 * `DOCKER_TLS_VERIFY`, with any value, verifies the engine; `DOCKER_TLS` alone does not. Files are `ca.pem`, `cert.pem` and `key.pem` below
 * `DOCKER_CERT_PATH`, else beside Docker's configuration; without the last two nothing is shown to the engine.
 * Source: docker/cli cli/flags/options.go.
 * @throws EngineError 'invalid-argument' when there is no `ca.pem`.
 */
export async function tlsFromEnvironment(env: Environment): Promise<TlsSettings | undefined> {
  const verify = variable(env, 'DOCKER_TLS_VERIFY') !== undefined;
  if (!verify && variable(env, 'DOCKER_TLS') === undefined) return undefined;
  return { ...(await readTlsFiles(certPath(env))), verify };
}

/** For `https://`, which asks for TLS by itself: the same files, as far as they are there; else what the system trusts. */
export async function tlsForHttps(env: Environment): Promise<TlsSettings> {
  const { ca, cert, key } = await readFiles(certPath(env));
  return { ca, cert, key, verify: true };
}

/** The three files of a directory. @throws EngineError 'invalid-argument' when there is no `ca.pem`. */
export async function readTlsFiles(directory: string): Promise<TlsSettings> {
  const files = await readFiles(directory);
  if (files.ca !== undefined) return files;
  const path = join(directory, 'ca.pem');
  throw new EngineError(
    'invalid-argument',
    `unable to resolve docker endpoint: open ${path}: no such file or directory`,
  );
}

function certPath(env: Environment): string {
  return variable(env, 'DOCKER_CERT_PATH') ?? dockerConfigDir(env);
}

async function readFiles(directory: string): Promise<TlsSettings> {
  const read = (name: string): Promise<Buffer | undefined> => readIfThere(join(directory, name));
  const [ca, cert, key] = await Promise.all([read('ca.pem'), read('cert.pem'), read('key.pem')]);
  return { ca, cert, key };
}
