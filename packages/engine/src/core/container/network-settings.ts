import type { EndpointSettings, NetworkSettings, StringMap } from '@fairlead/protocol';
import { joinedContainer } from '../spec/modes.ts';
import type { NetworkEndpoint } from '../ports/network-driver.ts';
import { portMap } from './port-views.ts';
import type { ContainerRecord } from './record.ts';

/** The networks of a container by name; addresses are empty while it does not run. Source: engine-api 8.6. */
export function endpointSettings(record: ContainerRecord): StringMap<EndpointSettings> {
  const { state } = record;
  const name = networkName(record);
  // In another's network it has no place of its own.
  if (joinedContainer(name) !== undefined) return {};
  return { [name]: settingsOf(state.status === 'running' ? state.endpoint : null) };
}

/** `inspect`'s NetworkSettings. */
export function networkSettings(record: ContainerRecord): NetworkSettings {
  const { state } = record;
  const endpoint = state.status === 'running' ? state.endpoint : null;
  const settings = settingsOf(endpoint);
  return {
    Bridge: '',
    SandboxID: state.status === 'running' ? record.id : '',
    SandboxKey: state.status === 'running' ? `/proc/${state.created.process.pid}/ns/net` : '',
    Ports: portMap(record),
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: settings.EndpointID,
    Gateway: settings.Gateway,
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    IPAddress: settings.IPAddress,
    IPPrefixLen: settings.IPPrefixLen,
    IPv6Gateway: '',
    MacAddress: settings.MacAddress,
    Networks: endpointSettings(record),
  };
}

function networkName(record: ContainerRecord): string {
  const mode = record.hostConfig.NetworkMode;
  return mode === '' || mode === 'default' ? 'bridge' : mode;
}

function settingsOf(endpoint: NetworkEndpoint | null): EndpointSettings {
  return {
    IPAMConfig: null,
    Links: null,
    Aliases: null,
    MacAddress: endpoint?.macAddress ?? '',
    DriverOpts: null,
    NetworkID: endpoint?.networkId ?? '',
    EndpointID: endpoint?.endpointId ?? '',
    Gateway: endpoint?.gateway ?? '',
    IPAddress: endpoint?.ipAddress ?? '',
    IPPrefixLen: endpoint?.prefixLength ?? 0,
    IPv6Gateway: '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    DNSNames: null,
  };
}
