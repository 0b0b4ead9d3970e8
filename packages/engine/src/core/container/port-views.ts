import { EngineError } from '@fairlead/protocol';
import type { PortBinding, PortMap, PortSummary } from '@fairlead/protocol';
import type { PublishedPort } from '../ports/network-driver.ts';
import { exposedPorts, formatContainerPort, parseContainerPorts, type ContainerPort } from '../spec/ports.ts';
import type { ContainerRecord } from './record.ts';

/** `inspect`'s Ports: what is exposed, with the places where it is reachable; nothing while it is on no network. */
export function portMap(record: ContainerRecord): PortMap {
  const { state, config, hostConfig } = record;
  if (state.status !== 'running' || state.endpoint === null) return {};
  const published = state.endpoint.ports ?? [];
  return Object.fromEntries(
    exposedPorts(config, hostConfig).map((port) => {
      const bindings = published.filter(
        ({ protocol, containerPort }) => protocol === port.protocol && containerPort === port.port,
      );
      return [formatContainerPort(port), bindings.length === 0 ? null : bindings.map(bindingOf)];
    }),
  );
}

/** The same as a list's rows have it. */
export function portSummaries(record: ContainerRecord): readonly PortSummary[] {
  const { state, config, hostConfig } = record;
  if (state.status !== 'running' || state.endpoint === null) return [];
  const published = state.endpoint.ports ?? [];
  return exposedPorts(config, hostConfig).flatMap(({ protocol, port }): readonly PortSummary[] => {
    const places = published.filter((place) => place.protocol === protocol && place.containerPort === port);
    if (places.length === 0) return [{ PrivatePort: port, Type: protocol }];
    return places.map(({ hostAddress, hostPort }) => ({
      IP: hostAddress,
      PrivatePort: port,
      PublicPort: hostPort,
      Type: protocol,
    }));
  });
}

function bindingOf({ hostAddress, hostPort }: PublishedPort): PortBinding {
  return { HostIp: hostAddress, HostPort: String(hostPort) };
}

/**
 * The filters `publish` (asked for by ports of the host) and `expose` (by ports in the container): `80`, `80/udp`, `8000-8010/tcp`.
 * As a list's rows have them: nothing is published or exposed while nothing runs.
 * @throws EngineError 'invalid-argument' for what is no port. Source: moby daemon/list.go, portOp.
 */
export function portFilter(key: 'publish' | 'expose', values: readonly string[]): (record: ContainerRecord) => boolean {
  const wanted = new Set(values.flatMap((value) => wantedPorts(key, value)).map(formatContainerPort));
  const part = key === 'publish' ? 'PublicPort' : 'PrivatePort';
  return (record) => portSummaries(record).some((row) => wanted.has(`${row[part]}/${row.Type}`));
}

function wantedPorts(key: string, value: string): readonly ContainerPort[] {
  if (value.includes(':')) {
    throw new EngineError('invalid-argument', `filter for '${key}' should not contain ':': ${value}`);
  }
  const ports = parseContainerPorts(value);
  if (ports !== undefined) return ports;
  throw new EngineError('invalid-argument', `error while looking up for ${key} ${value}: invalid port`);
}
