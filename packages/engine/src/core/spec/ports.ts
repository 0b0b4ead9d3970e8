import { EngineError, type ContainerConfig, type HostConfig, type PortBinding } from '@fairlead/protocol';
import type { PortProtocol, PortRequest } from '../ports/network-driver.ts';
import { addressFamily } from './ip-address.ts';

/** A port inside a container. */
export interface ContainerPort {
  readonly protocol: PortProtocol;
  readonly port: number;
}

/** One or several ports that follow each other. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

const PORT_MAX = 65_535;
const PROTOCOLS: readonly PortProtocol[] = ['tcp', 'udp', 'sctp'];

/** What stands for all addresses of the host. */
export const ANY_ADDRESS = '0.0.0.0';

/** As keys of port maps are written: `80/tcp`. */
export function formatContainerPort({ protocol, port }: ContainerPort): string {
  return `${port}/${protocol}`;
}

/** Reads `80`, `80/udp` or `8000-8010/tcp`; undefined when it is none. TCP unless it says otherwise. */
export function parseContainerPorts(text: string): readonly ContainerPort[] | undefined {
  const [ports = '', protocolText = 'tcp', ...rest] = text.split('/');
  const protocol = PROTOCOLS.find((known) => known === protocolText.toLowerCase());
  const range = parsePortRange(ports);
  if (protocol === undefined || range === undefined || range.first === 0 || rest.length > 0) return undefined;
  return Array.from({ length: range.last - range.first + 1 }, (_value, index) => ({
    protocol,
    port: range.first + index,
  }));
}

/** Reads `80` or `8000-8010`; undefined when it is none. */
export function parsePortRange(text: string): PortRange | undefined {
  const [, from, to] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  if (from === undefined) return undefined;
  const [first, last] = [Number(from), Number(to ?? from)];
  return first <= last && last <= PORT_MAX ? { first, last } : undefined;
}

/**
 * Checks everything about ports in a create.
 *
 * @throws EngineError 'invalid-argument' `invalid port specification: "abc"`, 'not-implemented' for addresses of IPv6.
 */
export function checkPorts(config: Pick<ContainerConfig, 'ExposedPorts'>, hostConfig: HostConfig): void {
  for (const text of Object.keys(config.ExposedPorts ?? {})) {
    if (parseContainerPorts(text) === undefined) throw invalidContainerPort(text);
  }
  for (const [text, bindings] of Object.entries(hostConfig.PortBindings)) {
    // A range of the container's ports is several bindings: clients write them out.
    if (parseContainerPorts(text)?.length !== 1) throw invalidContainerPort(text);
    for (const binding of bindings ?? []) checkBinding(binding, text);
  }
}

/** The ports that a container's image or user named, published or not, in the order of their keys. */
export function exposedPorts(
  config: Pick<ContainerConfig, 'ExposedPorts'>,
  hostConfig: Pick<HostConfig, 'PortBindings'>,
): readonly ContainerPort[] {
  const texts = [...Object.keys(config.ExposedPorts ?? {}), ...Object.keys(hostConfig.PortBindings)];
  // What an image says was not checked; what is no port of it is left out.
  const ports = texts.flatMap((text) => parseContainerPorts(text) ?? []);
  const byKey = new Map(ports.map((port) => [formatContainerPort(port), port]));
  return [...byKey].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, port]) => port);
}

/** What is to be reachable on the host. */
export function portRequests(
  config: Pick<ContainerConfig, 'ExposedPorts'>,
  hostConfig: Pick<HostConfig, 'PortBindings' | 'PublishAllPorts'>,
): readonly PortRequest[] {
  const bindings = bindingsByPort(hostConfig);
  return exposedPorts(config, hostConfig).flatMap(({ protocol, port }): readonly PortRequest[] => {
    const asked = bindings.get(formatContainerPort({ protocol, port })) ?? [];
    const wanted = asked.length === 0 && hostConfig.PublishAllPorts ? [{ HostIp: '', HostPort: '' }] : asked;
    return wanted.map(({ HostIp, HostPort }) => {
      const range = parsePortRange(HostPort);
      const hostPorts = range === undefined || range.first === 0 ? undefined : range;
      return { protocol, containerPort: port, hostAddress: HostIp || ANY_ADDRESS, hostPorts };
    });
  });
}

function bindingsByPort({
  PortBindings,
}: Pick<HostConfig, 'PortBindings'>): ReadonlyMap<string, readonly PortBinding[]> {
  const found = new Map<string, readonly PortBinding[]>();
  for (const [text, bindings] of Object.entries(PortBindings)) {
    for (const port of parseContainerPorts(text) ?? []) {
      const key = formatContainerPort(port);
      found.set(key, [...(found.get(key) ?? []), ...(bindings ?? [])]);
    }
  }
  return found;
}

function checkBinding({ HostIp: address, HostPort: ports }: PortBinding, containerPort: string): void {
  if (ports !== '' && parsePortRange(ports) === undefined) throw invalidPort(ports);
  if (address === '') return;
  switch (addressFamily(address)) {
    case 4:
      return;
    case 6:
      throw new EngineError(
        'not-implemented',
        `publishing ports at addresses of IPv6 (HostConfig.PortBindings: ${containerPort} at ${address}) is not implemented yet`,
      );
    default:
      throw new EngineError('invalid-argument', `invalid host IP address: ${JSON.stringify(address)}`);
  }
}

/** Docker quotes the part that is wrong. */
function invalidContainerPort(text: string): EngineError {
  const [port = ''] = text.split('/');
  return invalidPort(parsePortRange(port) === undefined ? port : text);
}

function invalidPort(text: string): EngineError {
  return new EngineError('invalid-argument', `invalid port specification: ${JSON.stringify(text)}`);
}
