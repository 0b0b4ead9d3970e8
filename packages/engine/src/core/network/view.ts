import {
  assertFilterKeys,
  EngineError,
  formatDate,
  matchesLabels,
  type Filters,
  type Network,
  type NetworkContainer,
  type StringMap,
} from '@fairlead/protocol';
import { endpointSettings } from '../container/network-settings.ts';
import { networkChoice } from '../spec/modes.ts';
import type { NetworkDeps } from './deps.ts';
import { predefinedNetworks, type PredefinedNetwork } from './predefined.ts';

const FILTERS: readonly string[] = ['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type'];
const TYPES: readonly string[] = ['builtin', 'custom'];

/** Without their containers, as in Docker. @throws EngineError 'invalid-argument' for an unknown filter or value. */
export function listNetworks(deps: NetworkDeps, filters: Filters): readonly Network[] {
  const accepts = networkFilter(filters);
  return Object.values(predefinedNetworks(deps.network))
    .filter(accepts)
    .map((network) => documentOf(deps, network, {}));
}

/** Found by name, id or unique prefix of an id, with the running containers. @throws EngineError, see `resolveNetwork`. */
export function inspectNetwork(deps: NetworkDeps, ref: string): Network {
  const network = resolveNetwork(deps, ref);
  return documentOf(deps, network, containersOf(deps, network));
}

/** @throws EngineError 'not-found' `network x not found`, 'invalid-argument' when several ids begin so. */
export function resolveNetwork(deps: Pick<NetworkDeps, 'network'>, ref: string): PredefinedNetwork {
  const all = Object.values(predefinedNetworks(deps.network));
  const named = all.find(({ name, id }) => name === ref || id === ref);
  if (named !== undefined) return named;
  const [first, second] = ref === '' ? [] : all.filter(({ id }) => id.startsWith(ref));
  if (first === undefined) throw new EngineError('not-found', `network ${ref} not found`);
  if (second !== undefined) {
    throw new EngineError('invalid-argument', `network ${ref} is ambiguous (2 matches found based on ID prefix)`);
  }
  return first;
}

function documentOf(
  { network: { bridge }, createdAt }: NetworkDeps,
  { name, id, driver }: PredefinedNetwork,
  containers: StringMap<NetworkContainer>,
): Network {
  const isBridge = name === 'bridge';
  return {
    Name: name,
    Id: id,
    Created: formatDate(createdAt),
    Scope: 'local',
    Driver: driver,
    EnableIPv6: false,
    IPAM: {
      Driver: 'default',
      Options: null,
      Config: isBridge ? [{ Subnet: bridge.subnet, Gateway: bridge.gateway }] : [],
    },
    Internal: false,
    Attachable: false,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: containers,
    Options: isBridge ? bridgeOptions(bridge.interfaceName) : {},
    Labels: {},
  };
}

/** What is true of our bridge among the options that Docker shows of its own. */
function bridgeOptions(interfaceName: string): StringMap<string> {
  return {
    'com.docker.network.bridge.default_bridge': 'true',
    'com.docker.network.bridge.enable_icc': 'true',
    'com.docker.network.bridge.enable_ip_masquerade': 'true',
    'com.docker.network.bridge.host_binding_ipv4': '0.0.0.0',
    'com.docker.network.bridge.name': interfaceName,
  };
}

function containersOf(deps: NetworkDeps, network: PredefinedNetwork): StringMap<NetworkContainer> {
  const networks = predefinedNetworks(deps.network);
  const entries = deps.directory.all().flatMap(({ id, record, state }): readonly [string, NetworkContainer][] => {
    if (state.status !== 'running' || networkChoice(record.config, record.hostConfig) !== network.name) return [];
    const [settings] = Object.values(endpointSettings(record, networks));
    if (settings === undefined) return [];
    const { EndpointID, MacAddress, IPAddress, IPPrefixLen } = settings;
    const IPv4Address = IPAddress === '' ? '' : `${IPAddress}/${IPPrefixLen}`;
    return [[id, { Name: record.name, EndpointID, MacAddress, IPv4Address, IPv6Address: '' }]];
  });
  return Object.fromEntries(entries);
}

function networkFilter(filters: Filters): (network: PredefinedNetwork) => boolean {
  assertFilterKeys(filters, FILTERS);
  const names = filters.get('name')?.map((value) => pattern('name', value));
  const ids = filters.get('id')?.map((value) => pattern('id', value));
  const types = filters.get('type') ?? TYPES;
  const unknown = types.find((type) => !TYPES.includes(type));
  if (unknown !== undefined) throw new EngineError('invalid-argument', `invalid filter: 'type'='${unknown}'`);
  const dangling = danglingFilter(filters);
  return ({ name, id, driver }) =>
    (names === undefined || names.some((expression) => expression.test(name))) &&
    (ids === undefined || ids.some((expression) => expression.test(id))) &&
    (filters.get('driver')?.includes(driver) ?? true) &&
    (filters.get('scope')?.includes('local') ?? true) &&
    matchesLabels(filters.get('label'), {}) &&
    types.includes('builtin') &&
    // What nobody made, nobody has forgotten.
    dangling !== true;
}

function danglingFilter(filters: Filters): boolean | undefined {
  const values = filters.get('dangling');
  const truths = new Set(values?.map((value) => ['true', '1'].includes(value)));
  const isBad = values?.some((value) => !['true', '1', 'false', '0'].includes(value)) === true || truths.size > 1;
  if (!isBad) return [...truths][0];
  const words = `invalid value for filter 'dangling', must be "true" (or "1"), or "false" (or "0")`;
  throw new EngineError('invalid-argument', words);
}

/** Source: moby api/types/filters, Match: each value is a regular expression. */
function pattern(key: string, value: string): RegExp {
  try {
    return new RegExp(value);
  } catch (cause) {
    throw new EngineError('invalid-argument', `invalid filter '${key}=${value}'`, { cause });
  }
}
