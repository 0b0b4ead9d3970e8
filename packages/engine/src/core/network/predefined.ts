import { createHash } from 'node:crypto';
import type { NetworkDriver } from '../ports/network-driver.ts';
import type { NetworkChoice } from '../spec/modes.ts';

/** One of the networks that are there without anybody having made them. */
export interface PredefinedNetwork {
  readonly name: Exclude<NetworkChoice, 'container'>;
  readonly id: string;
  /** Docker's word for what runs it; also the type of its events. */
  readonly driver: 'bridge' | 'host' | 'null';
}

/** The three of them, by name. Ids are the same for as long as the engine's root is. */
export type PredefinedNetworks = Readonly<Record<PredefinedNetwork['name'], PredefinedNetwork>>;

/** Pure. */
export function predefinedNetworks({ bridge }: Pick<NetworkDriver, 'bridge'>): PredefinedNetworks {
  return {
    bridge: { name: 'bridge', id: bridge.id, driver: 'bridge' },
    host: { name: 'host', id: idBeside(bridge.id, 'host'), driver: 'host' },
    none: { name: 'none', id: idBeside(bridge.id, 'none'), driver: 'null' },
  };
}

function idBeside(bridgeId: string, name: string): string {
  return createHash('sha256').update(`${name} beside ${bridgeId}`).digest('hex');
}
