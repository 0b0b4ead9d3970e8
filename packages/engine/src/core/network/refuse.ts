import { EngineError, type CreateNetworkBody } from '@fairlead/protocol';
import type { NetworkDeps } from './deps.ts';
import { resolveNetwork } from './view.ts';

/** Names that nobody can give. `default` is what clients call the bridge. Source: moby runconfig, IsPreDefinedNetwork. */
const RESERVED: readonly string[] = ['bridge', 'host', 'none', 'default'];

/**
 * Why a network cannot be made: this engine has the predefined ones only.
 *
 * @returns 'forbidden' or 'invalid-argument' in Docker's words for what Docker refuses, too; else 'not-implemented'.
 */
export function refusedCreation({ Name: name, Driver: driver }: CreateNetworkBody): EngineError {
  if (name.trim() === '') return new EngineError('invalid-argument', 'invalid network name: name is empty');
  if (RESERVED.includes(name)) {
    return new EngineError('forbidden', `operation is not permitted on predefined ${name} network`);
  }
  const kind = driver === '' ? 'bridge' : driver;
  return new EngineError(
    'not-implemented',
    `networks of one's own are not implemented yet: ${JSON.stringify(name)} (${kind}) was not created`,
  );
}

/** Why a network cannot be removed. @throws EngineError 'not-found' when there is none of that name. */
export function refusedRemoval(deps: Pick<NetworkDeps, 'network'>, ref: string): EngineError {
  const { name } = resolveNetwork(deps, ref);
  return new EngineError('forbidden', `${name} is a pre-defined network and cannot be removed`);
}
