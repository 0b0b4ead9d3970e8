import { EngineError } from '@fairlead/protocol';
import { keyOf } from './environment.ts';
import type { ContainerPort } from './ports.ts';

/** One of HostConfig.Links, read. */
export interface Link {
  /** Name or id of the container that is linked. */
  readonly ref: string;
  /** What the container that links calls it. */
  readonly alias: string;
}

/** A container that is linked, as the one that links sees it. */
export interface LinkedContainer {
  readonly alias: string;
  /** The name of the container that links. */
  readonly parentName: string;
  readonly name: string;
  readonly hostname: string;
  readonly address: string;
  readonly environment: readonly string[];
  readonly ports: readonly ContainerPort[];
}

/**
 * Reads `name:alias`, `name`, and `/name:/parent/alias`, as inspect shows it.
 * @throws EngineError 'invalid-argument' in Docker's words. Source: moby v28 opts/opts.go, ParseLink.
 */
export function parseLink(text: string): Link {
  const [ref = '', alias = ref, ...rest] = text.split(':');
  if (text === '') throw new EngineError('invalid-argument', 'empty string specified for links');
  if (rest.length > 0) throw new EngineError('invalid-argument', `bad format for links: ${text}`);
  if (ref.startsWith('/')) return { ref: ref.slice(1), alias: alias.slice(alias.lastIndexOf('/') + 1) };
  return { ref, alias };
}

/** The line of /etc/hosts. Source: moby v28 daemon/container_operations_unix.go, buildSandboxOptions. */
export function linkedHost({ address, alias, hostname, name }: LinkedContainer): string {
  return `${address}\t${[alias, hostname, ...(name === alias ? [] : [name])].join(' ')}`;
}

/** A hosts file in which a linked container has another address now, and perhaps another name. */
export function relinkedHosts(hosts: string, linked: LinkedContainer): string {
  const lines = hosts.split('\n').map((line) => (isLineOf(linked, line) ? linkedHost(linked) : line));
  return lines.join('\n');
}

/** A hosts file without a container that is linked no longer. */
export function unlinkedHosts(hosts: string, linked: Pick<LinkedContainer, 'alias' | 'hostname'>): string {
  const lines = hosts.split('\n').filter((line) => !isLineOf(linked, line));
  return lines.join('\n');
}

function isLineOf({ alias, hostname }: Pick<LinkedContainer, 'alias' | 'hostname'>, line: string): boolean {
  return `${line} `.includes(`\t${alias} ${hostname} `);
}

/** What a link puts into the environment. Source: moby v28 daemon/links/links.go, ToEnv. */
export function linkEnvironment(linked: LinkedContainer): readonly string[] {
  const { alias, parentName, address, environment } = linked;
  const prefix = alias.toUpperCase().replaceAll('-', '_');
  const ports = linked.ports.toSorted((one, other) => one.port - other.port || rankOf(one) - rankOf(other));
  const [first] = ports;
  return [
    ...(first === undefined ? [] : [`${prefix}_PORT=${urlOf(address, first)}`]),
    ...rangesOf(ports).flatMap(([start, end]) => {
      const range = `${prefix}_PORT_${start.port}_${start.protocol.toUpperCase()}`;
      return [
        `${range}_START=${urlOf(address, start)}`,
        `${range}_ADDR=${address}`,
        `${range}_PROTO=${start.protocol}`,
        `${range}_PORT_START=${start.port}`,
        `${range}_END=${urlOf(address, end)}`,
        `${range}_PORT_END=${end.port}`,
      ];
    }),
    ...ports.flatMap((port) => {
      const single = `${prefix}_PORT_${port.port}_${port.protocol.toUpperCase()}`;
      return [
        `${single}=${urlOf(address, port)}`,
        `${single}_ADDR=${address}`,
        `${single}_PORT=${port.port}`,
        `${single}_PROTO=${port.protocol}`,
      ];
    }),
    `${prefix}_NAME=/${parentName}/${alias}`,
    ...environment
      .filter((entry) => entry.includes('=') && !['HOME', 'PATH'].includes(keyOf(entry)))
      .map((entry) => `${prefix}_ENV_${entry}`),
  ];
}

function rankOf({ protocol }: ContainerPort): number {
  return protocol === 'tcp' ? 0 : 1;
}

function urlOf(address: string, { protocol, port }: ContainerPort): string {
  return `${protocol}://${address}:${port}`;
}

/** Two or more ports of one protocol that follow each other, as first and last. */
function rangesOf(ports: readonly ContainerPort[]): readonly (readonly [ContainerPort, ContainerPort])[] {
  const ranges: [first: ContainerPort, last: ContainerPort][] = [];
  for (const port of ports) {
    const open = ranges.at(-1);
    if (open !== undefined && open[1].protocol === port.protocol && open[1].port + 1 === port.port) open[1] = port;
    else ranges.push([port, port]);
  }
  return ranges.filter(([first, last]) => first !== last);
}
