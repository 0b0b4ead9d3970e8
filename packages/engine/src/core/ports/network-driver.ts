import type { ContainerId } from '@fairlead/protocol';

/** The protocols that have ports, as far as Docker knows them. */
export type PortProtocol = 'tcp' | 'udp' | 'sctp';

/** A port of a container that is to be reachable on the host. */
export interface PortRequest {
  readonly protocol: PortProtocol;
  readonly containerPort: number;
  /** IPv4; `0.0.0.0`: all addresses of the host. */
  readonly hostAddress: string;
  /** One of these; undefined: any free one. */
  readonly hostPorts: { readonly first: number; readonly last: number } | undefined;
}

/** A port of a container and where it is reachable. */
export interface PublishedPort {
  readonly protocol: PortProtocol;
  readonly containerPort: number;
  readonly hostAddress: string;
  readonly hostPort: number;
}

/** A container's place on a network, as stored in its record. */
export interface NetworkEndpoint {
  readonly networkName: string;
  readonly networkId: string;
  readonly endpointId: string;
  readonly ipAddress: string;
  readonly prefixLength: number;
  readonly gateway: string;
  readonly macAddress: string;
  /** Absent in records from before ports were published. */
  readonly ports?: readonly PublishedPort[];
}

/** Whose network is to be furnished. */
export interface NetworkConnect {
  readonly id: ContainerId;
  /** The created, not yet started process whose network namespace is to be furnished. */
  readonly pid: number;
}

/** The default bridge. Namespaces belong to the container's process, so the kernel removes the link with the last one. */
export interface NetworkDriver {
  /** Facts for `/networks` and `docker info`; makes nothing. */
  readonly bridge: {
    readonly name: string;
    readonly id: string;
    readonly subnet: string;
    readonly gateway: string;
    readonly interfaceName: string;
  };
  /**
   * Takes addresses and ports that the records of running containers hold, after a restart of the engine, and puts what
   * belongs to no container away.
   */
  restore(endpoints: ReadonlyMap<ContainerId, NetworkEndpoint>): Promise<void>;
  /**
   * Reserves an address. Pure book-keeping: no system call.
   * @param macAddress that of the container's interface; empty: one made of its address.
   */
  reserve(id: ContainerId, macAddress?: string): NetworkEndpoint;
  /**
   * Takes ports of the host for a container that has an address; `connect` makes them reachable: from other hosts, from the
   * host itself, loopback included, and from containers. None is taken when one cannot be.
   *
   * @returns the endpoint with its ports. @throws EngineError 'conflict' in Docker's words when one is taken.
   */
  publish(id: ContainerId, requests: readonly PortRequest[]): Promise<NetworkEndpoint>;
  /** Puts eth0 with that address, default route and masquerading in place; makes the bridge on first use. */
  connect(request: NetworkConnect, endpoint: NetworkEndpoint): Promise<void>;
  /** Gives address and ports back. Nothing to do is success. */
  release(id: ContainerId): Promise<void>;
  /** Removes bridge and rules, when no container uses them: for `fairlead engine` told to clean up, and tests. */
  removeAll(): Promise<void>;
}
