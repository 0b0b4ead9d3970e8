import type { ContainerId } from '@fairlead/protocol';

/** A container's place on a network, as stored in its record. */
export interface NetworkEndpoint {
  readonly networkName: string;
  readonly networkId: string;
  readonly endpointId: string;
  readonly ipAddress: string;
  readonly prefixLength: number;
  readonly gateway: string;
  readonly macAddress: string;
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
  /** Takes addresses that records already hold, after a restart of the engine. */
  restore(endpoints: ReadonlyMap<ContainerId, NetworkEndpoint>): void;
  /** Reserves an address. Pure book-keeping: no system call. */
  reserve(id: ContainerId): NetworkEndpoint;
  /** Puts eth0 with that address, default route and masquerading in place; makes the bridge on first use. */
  connect(request: NetworkConnect, endpoint: NetworkEndpoint): Promise<void>;
  /** Gives the address back. Nothing to do is success. */
  release(id: ContainerId): Promise<void>;
  /** Removes bridge and rules, when no container uses them: for `fairlead engine` told to clean up, and tests. */
  removeAll(): Promise<void>;
}
