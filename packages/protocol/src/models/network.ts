import { boolField, goStruct, textField, textMapField, type StringMap, type WireSchema } from '../codec/go-schema.ts';

/** One range of addresses of a network. */
export interface IpamPool {
  /** `A.B.C.D/N` */
  readonly Subnet: string;
  readonly Gateway?: string;
}

/** A container in the answer to `GET /networks/{id}`. Addresses are empty on networks without. */
export interface NetworkContainer {
  readonly Name: string;
  readonly EndpointID: string;
  readonly MacAddress: string;
  /** With the length of the network's prefix. */
  readonly IPv4Address: string;
  readonly IPv6Address: string;
}

/** One network, as list and inspect show it. */
export interface Network {
  readonly Name: string;
  readonly Id: string;
  /** RFC 3339. */
  readonly Created: string;
  readonly Scope: 'local' | 'global' | 'swarm';
  readonly Driver: string;
  readonly EnableIPv6: boolean;
  readonly IPAM: {
    readonly Driver: string;
    readonly Options: StringMap<string> | null;
    readonly Config: readonly IpamPool[];
  };
  readonly Internal: boolean;
  readonly Attachable: boolean;
  readonly Ingress: boolean;
  readonly ConfigFrom: { readonly Network: string };
  readonly ConfigOnly: boolean;
  /** By id; empty in a list. Only those that run. */
  readonly Containers: StringMap<NetworkContainer>;
  readonly Options: StringMap<string>;
  readonly Labels: StringMap<string>;
}

/** What a client asks of a new network, as far as the engine looks at it. */
export interface CreateNetworkBody {
  readonly Name: string;
  /** Empty: `bridge`. */
  readonly Driver: string;
  readonly Internal: boolean;
  readonly Labels: StringMap<string>;
}

/** Answer to `POST /networks/create`. */
export interface CreateNetworkResponse {
  readonly Id: string;
  readonly Warning: string;
}

export const createNetworkBodySchema: WireSchema<CreateNetworkBody> = goStruct<CreateNetworkBody>('CreateRequest', {
  Name: textField,
  Driver: textField,
  Internal: boolField,
  Labels: textMapField,
});
