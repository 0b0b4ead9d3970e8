import {
  boolField,
  goList,
  goStruct,
  orElse,
  orEmpty,
  textField,
  textMapField,
  type StringMap,
  type WireSchema,
} from '../codec/go-schema.ts';
import { endpointRequestSchema, type EndpointRequest } from './networking-config.ts';

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

/** A range of addresses as a client asks for it. */
export interface IpamPoolRequest {
  readonly Subnet: string;
  /** Where containers' addresses are taken from; empty: the whole subnet. */
  readonly IPRange: string;
  readonly Gateway: string;
  /** Addresses that no container gets, by a name. */
  readonly AuxiliaryAddresses: StringMap<string>;
}

/** How a new network gives out addresses. */
export interface IpamRequest {
  /** Empty: `default`. */
  readonly Driver: string;
  readonly Options: StringMap<string>;
  readonly Config: readonly IpamPoolRequest[];
}

/** What a client asks of a new network. */
export interface CreateNetworkBody {
  readonly Name: string;
  /** A name that is taken is refused: since API 1.44 in any case, before only when this asks for it. */
  readonly CheckDuplicate: boolean;
  /** Empty: `bridge`. */
  readonly Driver: string;
  readonly EnableIPv6: boolean;
  readonly IPAM: IpamRequest;
  /** Without a way out of the host. */
  readonly Internal: boolean;
  readonly Attachable: boolean;
  readonly Options: StringMap<string>;
  readonly Labels: StringMap<string>;
}

/** Answer to `POST /networks/create`. */
export interface CreateNetworkResponse {
  readonly Id: string;
  readonly Warning: string;
}

/** Asks that a container joins a network. */
export interface ConnectNetworkBody {
  readonly Container: string;
  readonly EndpointConfig: EndpointRequest | null;
}

/** Asks that a container leaves a network. */
export interface DisconnectNetworkBody {
  readonly Container: string;
  /** Also when the network is broken, or the container gone. */
  readonly Force: boolean;
}

const ipamPoolRequestSchema: WireSchema<IpamPoolRequest> = goStruct<IpamPoolRequest>('IPAMConfig', {
  Subnet: textField,
  IPRange: textField,
  Gateway: textField,
  AuxiliaryAddresses: textMapField,
});

export const createNetworkBodySchema: WireSchema<CreateNetworkBody> = goStruct<CreateNetworkBody>('CreateRequest', {
  Name: textField,
  CheckDuplicate: boolField,
  Driver: textField,
  EnableIPv6: boolField,
  IPAM: orEmpty(
    goStruct<IpamRequest>('IPAM', {
      Driver: textField,
      Options: textMapField,
      Config: orElse(goList(ipamPoolRequestSchema), []),
    }),
  ),
  Internal: boolField,
  Attachable: boolField,
  Options: textMapField,
  Labels: textMapField,
});

export const connectNetworkBodySchema: WireSchema<ConnectNetworkBody> = goStruct<ConnectNetworkBody>('ConnectOptions', {
  Container: textField,
  EndpointConfig: orElse(endpointRequestSchema, null),
});

export const disconnectNetworkBodySchema: WireSchema<DisconnectNetworkBody> = goStruct<DisconnectNetworkBody>(
  'DisconnectOptions',
  { Container: textField, Force: boolField },
);
