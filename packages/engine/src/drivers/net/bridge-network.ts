import { createHash, randomBytes } from 'node:crypto';
import { EngineError, type ContainerId } from '@fairlead/protocol';
import type { NetworkConnect, NetworkDriver, NetworkEndpoint, PortRequest } from '../../core/ports/network-driver.ts';
import { readTextIfExists } from '../../host/files.ts';
import { silentLog, type Log } from '../../lib/log.ts';
import { AddressPool } from './address-pool.ts';
import { BridgeHost } from './bridge-host.ts';
import { formatAddress, formatSubnet, macOf, parseAddress, parseSubnet } from './ipv4.ts';
import { PublishedPorts, type EphemeralRange } from './published-ports.ts';
import { claimSubnet, type SubnetClaim } from './subnet-claim.ts';

export interface BridgeNetworkOptions {
  /** The engine's root directory: engines with different roots have different bridges, tables and network ids. */
  readonly root: string;
  /** Default `/run/fairlead/subnets`: one for the whole host, see `claimSubnet`. */
  readonly claimDirectory?: string;
  /** `A.B.C.D/N`. Default: the bridge's own, if there is one, else the first that collides with nothing. */
  readonly subnet?: string;
  /** At most 15 characters. Default: derived from the root. */
  readonly interfaceName?: string;
  /** Default: says nothing. */
  readonly log?: Log;
}

/** Where engines of one host note which subnet they chose. */
export const SUBNET_CLAIM_DIRECTORY = '/run/fairlead/subnets';

/** Docker's fall-back, where the kernel does not say. Source: moby libnetwork/portallocator. */
const EPHEMERAL_DEFAULT: EphemeralRange = { first: 49_153, last: 65_535 };

/**
 * The default bridge by iproute2 and nftables. Holds a lock on its subnet, and sockets at published ports, until disposed;
 * bridge and rules stay then, so that containers go on being reachable.
 */
export class BridgeNetwork implements NetworkDriver, AsyncDisposable {
  readonly bridge: NetworkDriver['bridge'];
  readonly #claim: SubnetClaim;
  readonly #pool: AddressPool;
  readonly #host: BridgeHost;
  readonly #ports: PublishedPorts;
  readonly #log: Log;
  readonly #endpoints = new Map<ContainerId, NetworkEndpoint>();

  private constructor(claim: SubnetClaim, ephemeral: EphemeralRange, options: BridgeNetworkOptions) {
    const hash = createHash('sha256').update(options.root).digest('hex');
    const gateway = formatAddress(claim.subnet.base + 1);
    const interfaceName = options.interfaceName ?? interfaceNameOf(options.root);
    this.#claim = claim;
    this.#pool = new AddressPool(claim.subnet);
    this.#ports = new PublishedPorts(ephemeral);
    this.#log = options.log ?? silentLog;
    this.bridge = {
      name: 'bridge',
      id: createHash('sha256').update(`bridge of ${options.root}`).digest('hex'),
      subnet: formatSubnet(claim.subnet),
      gateway,
      interfaceName,
    };
    this.#host = new BridgeHost({
      interfaceName,
      table: `fairlead_${hash.slice(0, 8)}`,
      subnet: this.bridge.subnet,
      gateway,
      prefixLength: claim.subnet.prefixLength,
      macAddress: macOf(claim.subnet.base + 1),
    });
  }

  /**
   * Chooses the subnet. Makes nothing but a lock.
   *
   * @throws EngineError 'unavailable' when no subnet is free, 'conflict' when another engine has it, 'invalid-argument'
   *   for a subnet or name that cannot be.
   */
  static async open(options: BridgeNetworkOptions): Promise<BridgeNetwork> {
    const interfaceName = options.interfaceName ?? interfaceNameOf(options.root);
    if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$/.test(interfaceName)) {
      throw new EngineError('invalid-argument', `invalid bridge name: ${interfaceName}`);
    }
    const subnet = options.subnet === undefined ? undefined : parseSubnetOption(options.subnet);
    const claimDirectory = options.claimDirectory ?? SUBNET_CLAIM_DIRECTORY;
    const ephemeral = await readEphemeralRange();
    return new BridgeNetwork(await claimSubnet({ interfaceName, subnet, claimDirectory }), ephemeral, options);
  }

  async restore(endpoints: ReadonlyMap<ContainerId, NetworkEndpoint>): Promise<void> {
    for (const [id, endpoint] of endpoints) {
      this.#endpoints.set(id, endpoint);
      this.#pool.claim(id, parseAddress(endpoint.ipAddress));
      for (const port of await this.#ports.adopt(id, endpoint.ports ?? [])) {
        this.#log.warning('network.port.lost', { containerId: id, ...port });
      }
    }
    await this.#host.restore(endpoints.values());
  }

  reserve(id: ContainerId, macAddress = ''): NetworkEndpoint {
    const held = this.#endpoints.get(id);
    if (held !== undefined) return held;
    const address = this.#pool.take(id);
    const endpoint: NetworkEndpoint = {
      networkName: this.bridge.name,
      networkId: this.bridge.id,
      endpointId: randomBytes(32).toString('hex'),
      ipAddress: formatAddress(address),
      prefixLength: this.#claim.subnet.prefixLength,
      gateway: this.bridge.gateway,
      macAddress: macAddress || macOf(address),
    };
    this.#endpoints.set(id, endpoint);
    return endpoint;
  }

  async publish(id: ContainerId, requests: readonly PortRequest[]): Promise<NetworkEndpoint> {
    const endpoint = this.reserve(id);
    if (requests.length === 0) return endpoint;
    const published = { ...endpoint, ports: await this.#ports.open(id, requests, endpoint.ipAddress) };
    this.#endpoints.set(id, published);
    return published;
  }

  async connect(request: NetworkConnect, endpoint: NetworkEndpoint): Promise<void> {
    await this.#host.connect(request.pid, endpoint);
  }

  // The interface pair belongs to the container's namespace: the kernel removed it with the last process.
  async release(id: ContainerId): Promise<void> {
    const endpoint = this.#endpoints.get(id);
    if (endpoint !== undefined) await this.#host.disconnect(endpoint);
    await this.#ports.close(id);
    this.#endpoints.delete(id);
    this.#pool.release(id);
  }

  /** @throws EngineError 'conflict' while containers hold addresses. */
  async removeAll(): Promise<void> {
    if (this.#endpoints.size > 0) {
      const reason = `network ${this.bridge.name} id ${this.bridge.id} has active endpoints`;
      throw new EngineError('conflict', `error while removing network: ${reason}`);
    }
    await this.#host.remove();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ports[Symbol.asyncDispose]();
    await this.#claim[Symbol.asyncDispose]();
  }
}

async function readEphemeralRange(): Promise<EphemeralRange> {
  const text = (await readTextIfExists('/proc/sys/net/ipv4/ip_local_port_range', 64)) ?? '';
  const [, first, last] = /^(\d+)\s+(\d+)/.exec(text) ?? [];
  return first === undefined ? EPHEMERAL_DEFAULT : { first: Number(first), last: Number(last) };
}

/** `fl-` and eight hex digits: leaves room in the 15 characters of an interface name, and tells roots apart. */
function interfaceNameOf(root: string): string {
  return `fl-${createHash('sha256').update(root).digest('hex').slice(0, 8)}`;
}

function parseSubnetOption(text: string): ReturnType<typeof parseSubnet> {
  try {
    return parseSubnet(text);
  } catch (cause) {
    throw new EngineError('invalid-argument', `invalid bridge subnet: ${text}`, { cause });
  }
}
