import { createHash } from 'node:crypto';
import type { EndpointSettings, NetworkSettings, StringMap } from '@fairlead/protocol';
import type { PredefinedNetworks } from '../network/predefined.ts';
import { joinedContainer } from '../spec/modes.ts';
import type { NetworkEndpoint } from '../ports/network-driver.ts';
import { portMap } from './port-views.ts';
import type { ContainerRecord } from './record.ts';

/** The networks of a container by name; addresses are empty while it does not run. Source: engine-api 8.6. */
export function endpointSettings(record: ContainerRecord, networks: PredefinedNetworks): StringMap<EndpointSettings> {
  const { state } = record;
  const name = networkName(record);
  // In another's network it has no place of its own, and without networking none at all.
  if (joinedContainer(name) !== undefined || record.config.NetworkDisabled) return {};
  if (name === 'host' || name === 'none') return { [name]: withoutAddress(record, networks[name].id) };
  return { [name]: settingsOf(state.status === 'running' ? state.endpoint : null) };
}

/** `inspect`'s NetworkSettings. */
export function networkSettings(record: ContainerRecord, networks: PredefinedNetworks): NetworkSettings {
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
    Networks: endpointSettings(record, networks),
  };
}

/** On the host's network, and on none, a container has a place without an address while it runs. */
function withoutAddress({ id, state }: ContainerRecord, networkId: string): EndpointSettings {
  const settings = settingsOf(null);
  if (state.status !== 'running') return settings;
  const endpointId = createHash('sha256').update(`${id} on ${networkId} since ${state.startedAt.toISOString()}`);
  return { ...settings, NetworkID: networkId, EndpointID: endpointId.digest('hex') };
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
