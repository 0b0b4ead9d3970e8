import type { Address } from '../transport/address.ts';
import type { TlsSettings } from '../transport/tls.ts';

/** An engine's address, and how to speak with it there. */
export interface EngineEndpoint {
  readonly address: Address;
  readonly tls: TlsSettings | undefined;
}
