import { EngineError } from '@fairlead/protocol';
import { join } from 'node:path';
import { parseAddress } from '../transport/address.ts';
import { dockerConfigDir, field, readDocument, readIfThere } from './docker-config.ts';
import type { EngineEndpoint } from './endpoint.ts';
import type { Environment } from './environment.ts';

/** The context that is none: what flags and environment say. Source: docker/cli, DefaultContextName. */
export const DEFAULT_CONTEXT = 'default';

/**
 * The engine that a context of Docker's CLI names; undefined when it names no address.
 *
 * A context has TLS when it has certificates, or was made with `skip-tls-verify`. `DOCKER_TLS_VERIFY` and its like do not count for it.
 * @throws EngineError 'not-found' in Docker's words when there is no such context, 'invalid-argument' when it cannot be read.
 */
export async function readDockerContext(name: string, env: Environment): Promise<EngineEndpoint | undefined> {
  // Loaded only by those who have a context: 3 ms.
  const { createHash } = await import('node:crypto');
  const store = join(dockerConfigDir(env), 'contexts');
  const key = createHash('sha256').update(name).digest('hex');
  const path = join(store, 'meta', key, 'meta.json');
  const document = await readDocument(path);
  if (document === undefined) {
    const message = `unable to resolve docker endpoint: context "${name}": context not found: open ${path}: no such file or directory`;
    throw new EngineError('not-found', message);
  }
  const engine = field(field(document, 'Endpoints'), 'docker');
  const host = field(engine, 'Host');
  if (typeof host !== 'string' || host === '') return undefined;
  const read = (file: string): Promise<Buffer | undefined> => readIfThere(join(store, 'tls', key, 'docker', file));
  const [ca, cert, privateKey] = await Promise.all([read('ca.pem'), read('cert.pem'), read('key.pem')]);
  const skipVerify = field(engine, 'SkipTLSVerify') === true;
  const hasTls = skipVerify || ca !== undefined || cert !== undefined || privateKey !== undefined;
  const tls = hasTls ? { ca, cert, key: privateKey, verify: !skipVerify } : undefined;
  return { address: parseAddress(host), tls };
}
