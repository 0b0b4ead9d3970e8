import { EngineError } from '@fairlead/protocol';
import { HUB_PORT_DEFAULT } from '@fairlead/protocol/fleet';
import type { EndpointChoice } from '../endpoint/engine-endpoint.ts';
import { readTlsFiles } from '../endpoint/tls-files.ts';
import { parseAddress } from '../transport/address.ts';
import { transportTo } from '../transport/transport-to.ts';
import type { Transport } from '../transport/transport.ts';

/**
 * The way to a hub: `unix:///PATH`, `http://HOST[:PORT]` or `https://HOST[:PORT]`.
 *
 * @throws EngineError 'invalid-argument' for any other address.
 */
export async function wayToHub(hub: string, tls?: EndpointChoice['tls']): Promise<Transport> {
  const address = parseAddress(hub);
  if (address.scheme === 'ssh') throw new EngineError('invalid-argument', `a hub is not reached by ssh: ${hub}`);
  if (address.scheme === 'unix') return await transportTo(address);
  const port = address.port ?? HUB_PORT_DEFAULT;
  if (tls === undefined || tls === false) return await transportTo({ ...address, port });
  return await transportTo(
    { ...address, port },
    { tls: tls.certPath === undefined ? tls : await readTlsFiles(tls.certPath) },
  );
}
