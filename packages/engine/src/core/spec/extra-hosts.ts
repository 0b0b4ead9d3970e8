import { EngineError } from '@fairlead/protocol';
import { addressFamily } from './ip-address.ts';

/** One more line for /etc/hosts. */
export interface ExtraHost {
  readonly name: string;
  /** An IP address, or `host-gateway`: the address under which the container reaches its host. */
  readonly address: string;
}

/** Docker's word for the host as the container sees it. */
export const HOST_GATEWAY = 'host-gateway';

/**
 * Reads `--add-host` values: `name:address` or `name=address`, IPv6 also in brackets.
 *
 * @throws EngineError 'invalid-argument' `bad format for add-host: "…"`, `invalid IP address in add-host: "…"`.
 *   Source: moby v28 opts/hosts.go, ValidateExtraHost.
 */
export function parseExtraHost(text: string): ExtraHost {
  const separator = text.includes('=') ? '=' : ':';
  const at = text.indexOf(separator);
  const name = text.slice(0, Math.max(at, 0));
  if (name === '' || name.includes(':')) {
    throw new EngineError('invalid-argument', `bad format for add-host: ${JSON.stringify(text)}`);
  }
  const written = text.slice(at + 1);
  const address =
    written.length > 2 && written.startsWith('[') && written.endsWith(']') ? written.slice(1, -1) : written;
  if (address !== HOST_GATEWAY && addressFamily(address) === undefined) {
    throw new EngineError('invalid-argument', `invalid IP address in add-host: ${JSON.stringify(address)}`);
  }
  return { name, address };
}
