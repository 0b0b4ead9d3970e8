import {
  goMap,
  goStruct,
  intField,
  orElse,
  orEmpty,
  textField,
  textMapField,
  textsOrNull,
  type StringMap,
  type WireSchema,
} from '../codec/go-schema.ts';

export interface EndpointIpamConfig {
  readonly IPv4Address: string;
  readonly IPv6Address: string;
  readonly LinkLocalIPs: readonly string[] | null;
}

/** What a client asks of one network. Addresses that the engine gives are in inspect's `EndpointSettings`. */
export interface EndpointRequest {
  readonly IPAMConfig: EndpointIpamConfig | null;
  readonly Links: readonly string[] | null;
  readonly Aliases: readonly string[] | null;
  readonly MacAddress: string;
  readonly DriverOpts: StringMap<string>;
  readonly GwPriority: number;
}

/** The networks a container is to join, by name or id; `default` is the bridge. A null is passed on, to be refused. */
export interface NetworkingConfig {
  readonly EndpointsConfig: StringMap<EndpointRequest | null>;
}

const ipamConfigSchema: WireSchema<EndpointIpamConfig> = goStruct<EndpointIpamConfig>('EndpointIPAMConfig', {
  IPv4Address: textField,
  IPv6Address: textField,
  LinkLocalIPs: textsOrNull,
});

export const endpointRequestSchema: WireSchema<EndpointRequest> = goStruct<EndpointRequest>('EndpointSettings', {
  IPAMConfig: orElse(ipamConfigSchema, null),
  Links: textsOrNull,
  Aliases: textsOrNull,
  MacAddress: textField,
  DriverOpts: textMapField,
  GwPriority: intField,
});

export const networkingConfigSchema: WireSchema<NetworkingConfig> = goStruct<NetworkingConfig>('NetworkingConfig', {
  EndpointsConfig: orEmpty(goMap(orElse(endpointRequestSchema, null))),
});
