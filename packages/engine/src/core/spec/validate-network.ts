import {
  EngineError,
  type ContainerConfig,
  type EndpointRequest,
  type HostConfig,
  type NetworkingConfig,
} from '@fairlead/protocol';
import { parseLink } from './links.ts';
import { networkChoice, type NetworkChoice } from './modes.ts';
import { checkPorts } from './ports.ts';

export interface NetworkRequest {
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  readonly networkingConfig: NetworkingConfig;
}

const PREDEFINED: ReadonlyMap<string, NetworkChoice> = new Map([
  ['default', 'bridge'],
  ['bridge', 'bridge'],
  ['host', 'host'],
  ['none', 'none'],
]);

/**
 * Checks everything about networks. There are the three predefined ones; whether any other is there is asked at the start.
 *
 * @returns warnings.
 * @throws EngineError in Docker's words: 'invalid-argument' for conflicts,
 *   'not-implemented' for what this engine cannot do yet. Source: moby v28 runconfig/hostconfig_unix.go.
 */
export function checkNetwork(request: NetworkRequest): readonly string[] {
  const { config, hostConfig } = request;
  checkMode(hostConfig.NetworkMode);
  const choice = networkChoice(config, hostConfig);
  if (choice === 'container') checkJoined(config, hostConfig);
  if (choice === 'host' && config.MacAddress !== '') {
    throw new EngineError('invalid-argument', 'conflicting options: mac-address and the network mode');
  }
  checkLinks(hostConfig, choice);
  checkEndpoints(request, choice);
  checkPorts(config, hostConfig);
  return portWarnings(hostConfig, choice);
}

function checkMode(mode: string): void {
  if (mode !== 'container' && mode !== 'container:') return;
  throw new EngineError('invalid-argument', 'invalid network mode: invalid container format container:<name|id>');
}

/** What a container cannot have of its own in another's network. Source: moby v28 runconfig/hostconfig_unix.go. */
function checkJoined(config: ContainerConfig, hostConfig: HostConfig): void {
  const conflicts: readonly (readonly [boolean, string])[] = [
    [config.Hostname !== '', 'hostname and the network mode'],
    [
      (hostConfig.Links ?? []).length > 0,
      "container type network can't be used with links. This would result in undefined behavior",
    ],
    [hostConfig.Dns.length > 0, 'dns and the network mode'],
    [(hostConfig.ExtraHosts ?? []).length > 0, 'custom host-to-IP mapping and the network mode'],
    [config.MacAddress !== '', 'mac-address and the network mode'],
    [
      Object.keys(hostConfig.PortBindings).length > 0 || hostConfig.PublishAllPorts,
      'port publishing and the container type network mode',
    ],
    [Object.keys(config.ExposedPorts ?? {}).length > 0, 'port exposing and the container type network mode'],
  ];
  const found = conflicts.find(([isAsked]) => isAsked);
  if (found !== undefined) throw new EngineError('invalid-argument', `conflicting options: ${found[1]}`);
}

function checkLinks(hostConfig: HostConfig, choice: NetworkChoice): void {
  for (const text of hostConfig.Links ?? []) parseLink(text);
  if ((hostConfig.Links ?? []).length === 0 || choice !== 'host') return;
  const words = "host type networking can't be used with links. This would result in undefined behavior";
  throw new EngineError('invalid-argument', `conflicting options: ${words}`);
}

function checkEndpoints({ config, hostConfig, networkingConfig }: NetworkRequest, choice: NetworkChoice): void {
  const endpoints = Object.entries(networkingConfig.EndpointsConfig);
  for (const [network, endpoint] of endpoints) {
    if (endpoint === null) throw new EngineError('invalid-argument', `no EndpointSettings for ${network}`);
    const asked = PREDEFINED.get(network);
    const isChosen = asked === undefined ? network === hostConfig.NetworkMode : asked === choice;
    if (!isChosen || endpoints.length > 1) {
      const names = endpoints.map(([name]) => name).join(', ');
      throw new EngineError('invalid-argument', `Container cannot be connected to network endpoints: ${names}`);
    }
    checkEndpoint(network, endpoint);
  }
  checkMacAddress(requestedMacAddress({ config, networkingConfig }));
}

function checkEndpoint(network: string, endpoint: EndpointRequest): void {
  const field = `NetworkingConfig.EndpointsConfig.${network}`;
  const { IPAMConfig: ipam } = endpoint;
  if (ipam !== null && (ipam.IPv4Address !== '' || ipam.IPv6Address !== '' || (ipam.LinkLocalIPs ?? []).length > 0)) {
    throw new EngineError('invalid-argument', 'user specified IP address is supported on user defined networks only');
  }
  if ((endpoint.Aliases ?? []).length > 0) {
    const words = 'network-scoped alias is supported only for containers in user defined networks';
    throw new EngineError('invalid-argument', words);
  }
  if ((endpoint.Links ?? []).length > 0) throw notYet(`${field}.Links`);
  if (Object.keys(endpoint.DriverOpts).length > 0) throw notYet(`${field}.DriverOpts`);
}

/** The address that a container's interface is to have, said at the container or at its network; empty: any. */
export function requestedMacAddress({
  config,
  networkingConfig,
}: Pick<NetworkRequest, 'config' | 'networkingConfig'>): string {
  const [endpoint] = Object.values(networkingConfig.EndpointsConfig);
  const ofEndpoint = endpoint?.MacAddress ?? '';
  if (config.MacAddress !== '' && ofEndpoint !== '' && config.MacAddress !== ofEndpoint) {
    const words = 'the container-wide MAC address must match the endpoint-specific MAC address for the main network';
    throw new EngineError('invalid-argument', `conflicting MAC address in request: ${words}`);
  }
  return config.MacAddress || ofEndpoint;
}

function checkMacAddress(address: string): void {
  if (address === '' || /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i.test(address)) return;
  throw new EngineError('invalid-argument', `invalid MAC address: ${address}`);
}

/** Which ports there are was checked before. @returns warnings. */
function portWarnings(hostConfig: HostConfig, choice: NetworkChoice): readonly string[] {
  if (Object.keys(hostConfig.PortBindings).length === 0 && !hostConfig.PublishAllPorts) return [];
  if (choice === 'host') return ['Published ports are discarded when using host network mode'];
  return choice === 'none' ? ['Published ports are discarded when using the none network'] : [];
}

function notYet(what: string): EngineError {
  return new EngineError('not-implemented', `${what} is not implemented yet`);
}
