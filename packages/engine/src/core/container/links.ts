import { containerId, EngineError, isEngineError, type ContainerId, type HostConfig } from '@fairlead/protocol';
import { linkEnvironment, parseLink, relinkedHosts, unlinkedHosts, type LinkedContainer } from '../spec/links.ts';
import { joinedContainer, networkChoice } from '../spec/modes.ts';
import { exposedPorts } from '../spec/ports.ts';
import type { ContainerActor } from './actor.ts';
import type { ContainerDeps } from './deps.ts';
import type { ContainerRecord } from './record.ts';

type LinkDeps = Pick<ContainerDeps, 'directory'>;

const HOST_CONFLICT =
  "conflicting options: host type networking can't be used with links. This would result in undefined behavior";

/**
 * HostConfig with the containers that its links name as ids, so that a rename changes nothing.
 * @throws EngineError 'invalid-argument' for one that does not exist or is on the host's network: a client would take 'not-found'
 *   for a missing image. Source: moby v28 daemon/daemon_unix.go, registerLinks.
 */
export function withLinkIds(deps: LinkDeps, hostConfig: HostConfig): HostConfig {
  const { Links: links } = hostConfig;
  if (links === null || links.length === 0) return hostConfig;
  return { ...hostConfig, Links: links.map((text) => linkById(deps, text)) };
}

function linkById(deps: LinkDeps, text: string): string {
  const { ref, alias } = parseLink(text);
  try {
    const found = ownerOfNetwork(deps, deps.directory.resolve(ref));
    if (found.record.hostConfig.NetworkMode === 'host') throw new EngineError('invalid-argument', HOST_CONFLICT);
    return `${found.id}:${alias}`;
  } catch (cause) {
    if (!isEngineError(cause) || cause.kind !== 'not-found') throw cause;
    throw new EngineError('invalid-argument', `could not get container for ${ref}: ${cause.message}`, { cause });
  }
}

/** Who shares another's network is reached there, and so on. One that shares with itself never starts. */
function ownerOfNetwork(deps: LinkDeps, actor: ContainerActor): ContainerActor {
  const seen = new Set<ContainerActor>();
  let owner = actor;
  for (;;) {
    const ref = joinedContainer(owner.record.hostConfig.NetworkMode);
    if (ref === undefined || seen.has(owner)) return owner;
    seen.add(owner);
    owner = deps.directory.resolve(ref);
  }
}

/** As inspect shows them: `/db:/web/alias`. Containers that are gone are left out. */
export function shownLinks(deps: LinkDeps, { name, hostConfig }: ContainerRecord): readonly string[] | null {
  const shown = linksOf(deps, hostConfig).map(({ actor, alias }) => `/${actor.record.name}:/${name}/${alias}`);
  return shown.length === 0 ? null : shown;
}

/** Which link to take away. */
export interface RemoveContainerLink {
  /** By name. */
  readonly parent: string;
  readonly alias: string;
  /** Told the container that links, when it is found. */
  readonly about: (parent: ContainerActor) => void;
}

/**
 * Takes a link away; both containers stay. What it put into the environment of processes stays there.
 * @throws EngineError 'not-found'. Source: moby v28 daemon/delete.go, rmLink.
 */
export async function removeContainerLink(
  deps: Pick<ContainerDeps, 'directory' | 'files'>,
  { parent: name, alias, about }: RemoveContainerLink,
): Promise<void> {
  const parent = deps.directory.byName(name);
  const linked = linksOf(deps, parent?.record.hostConfig ?? { Links: null }).find((link) => link.alias === alias);
  if (parent === undefined || linked === undefined) {
    throw new EngineError('not-found', `No such container: ${name}/${alias}`);
  }
  about(parent);
  await parent.amend((record) => {
    const left = (record.hostConfig.Links ?? []).filter((text) => parseLink(text).alias !== alias);
    return { ...record, hostConfig: { ...record.hostConfig, Links: left.length === 0 ? null : left } };
  });
  if (parent.state.status !== 'running') return;
  const { Hostname: hostname } = linked.actor.record.config;
  await deps.files.updateHosts(parent.id, (hosts) => unlinkedHosts(hosts, { alias, hostname }));
}

/**
 * The containers that one that is being started links to.
 * @throws EngineError 'internal' in Docker's words when one does not run, or is not on the bridge.
 *   Source: moby v28 daemon/container_operations_unix.go, setupLinkedContainers.
 */
export function linkedContainers(deps: LinkDeps, record: ContainerRecord): readonly LinkedContainer[] {
  if (networkChoice(record.config, record.hostConfig) !== 'bridge') return [];
  return linksOf(deps, record.hostConfig).map(({ actor, alias }) => {
    const { id, state, record: other } = actor;
    if (state.status !== 'running') {
      const words = `Cannot link to a non running container: /${other.name} AS /${record.name}/${alias}`;
      throw new EngineError('internal', words);
    }
    const linked = linkedOf(record, { actor, alias });
    if (linked === undefined)
      throw new EngineError('internal', `container ${id} not attached to default bridge network`);
    return linked;
  });
}

/** What links put into the environment of a container, of those that run now. */
export function linkedEnvironment(deps: LinkDeps, record: ContainerRecord): readonly string[] {
  if (networkChoice(record.config, record.hostConfig) !== 'bridge') return [];
  const linked = linksOf(deps, record.hostConfig).flatMap((link) => linkedOf(record, link) ?? []);
  return linked.flatMap(linkEnvironment);
}

/** Tells running containers that link to one that is being started its address: it may have another than in its last run. */
export async function tellWhoLinks(
  deps: Pick<ContainerDeps, 'directory' | 'files'>,
  id: ContainerId,
  address: string,
): Promise<void> {
  for (const { record, state } of deps.directory.all()) {
    if (state.status !== 'running') continue;
    const linked = linksOf(deps, record.hostConfig).filter(({ actor }) => actor.id === id);
    if (linked.length === 0) continue;
    const seen = linked.map((link) => linkedAt(record, link, address));
    await deps.files.updateHosts(record.id, (hosts) => seen.reduce(relinkedHosts, hosts));
  }
}

/** The names that containers have as links of others: `/web/alias`, in order. */
export function linkNames(deps: LinkDeps): ReadonlyMap<ContainerId, readonly string[]> {
  const names = deps.directory
    .all()
    .flatMap(({ record }) =>
      linksOf(deps, record.hostConfig).map(({ actor, alias }) => [actor.id, `/${record.name}/${bare(alias)}`] as const),
    );
  const byId = Map.groupBy(names, ([id]) => id);
  return new Map([...byId].map(([id, own]) => [id, own.map(([, name]) => name).toSorted()]));
}

/** Docker joins names as paths. */
function bare(name: string): string {
  return name.replace(/^\/+/, '');
}

interface FoundLink {
  readonly actor: ContainerActor;
  readonly alias: string;
}

function linksOf(deps: LinkDeps, { Links: links }: Pick<HostConfig, 'Links'>): readonly FoundLink[] {
  return (links ?? []).flatMap((text) => {
    const { ref, alias } = parseLink(text);
    const actor = deps.directory.get(containerId(ref));
    return actor === undefined ? [] : [{ actor, alias }];
  });
}

/** Undefined while it has no address on the bridge. */
function linkedOf(parent: ContainerRecord, link: FoundLink): LinkedContainer | undefined {
  const { state } = link.actor;
  if (state.status !== 'running' || state.endpoint === null) return undefined;
  return linkedAt(parent, link, state.endpoint.ipAddress);
}

function linkedAt(parent: ContainerRecord, { actor, alias }: FoundLink, address: string): LinkedContainer {
  const { config, hostConfig, name } = actor.record;
  return {
    alias,
    address,
    name,
    parentName: parent.name,
    hostname: config.Hostname,
    environment: config.Env ?? [],
    ports: exposedPorts(config, hostConfig),
  };
}
