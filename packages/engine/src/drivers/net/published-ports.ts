import { EngineError, type ContainerId } from '@fairlead/protocol';
import type { PortRequest, PublishedPort } from '../../core/ports/network-driver.ts';
import { isErrno } from '../../host/errno.ts';
import { claimPort, type HostPort } from '../../host/port-claim.ts';
import { PortLedger, type HostPlace } from './port-ledger.ts';

/** The highest port number. */
const PORT_MAX = 65_535;

/** Ports that are chosen when nobody says which, first and last. */
export interface EphemeralRange {
  readonly first: number;
  readonly last: number;
}

interface Opened {
  readonly port: PublishedPort;
  readonly claim: AsyncDisposable;
}

type PortClaimer = (port: HostPort) => Promise<AsyncDisposable>;

/** What of a port request is looked for. */
interface Search {
  readonly request: PortRequest;
  readonly containerAddress: string;
}

/**
 * The ports of the host that containers have. Each is held by a socket of the engine, so that no other program of the host
 * takes it while the engine runs; the sockets themselves never get anything, because packets are redirected before.
 */
export class PublishedPorts implements AsyncDisposable {
  readonly #ephemeral: EphemeralRange;
  readonly #claim: PortClaimer;
  readonly #ledger = new PortLedger();
  readonly #opened = new Map<ContainerId, readonly Opened[]>();
  #next: number;

  constructor(ephemeral: EphemeralRange, claim: PortClaimer = claimPort) {
    this.#ephemeral = ephemeral;
    this.#claim = claim;
    this.#next = ephemeral.first;
  }

  /**
   * Takes a port for each request, all or none.
   *
   * @throws EngineError 'conflict' in Docker's words: `Bind for 0.0.0.0:80 failed: port is already allocated` when a container
   *   has it, `failed to bind host port for …: address already in use` when a program of the host does.
   */
  async open(
    id: ContainerId,
    requests: readonly PortRequest[],
    containerAddress: string,
  ): Promise<readonly PublishedPort[]> {
    const found = new Map<PortRequest, Opened>();
    try {
      for (const request of leastChoiceFirst(requests)) {
        found.set(request, await this.#openOne({ request, containerAddress }));
      }
    } catch (error) {
      await this.#closeAll([...found.values()]);
      throw error;
    }
    const opened = requests.flatMap((request) => found.get(request) ?? []);
    this.#opened.set(id, opened);
    return opened.map(({ port }) => port);
  }

  /**
   * Takes ports that a running container has already, after a restart of the engine.
   * @returns those that another program took meanwhile: they stay the container's, but nothing holds them.
   */
  async adopt(id: ContainerId, ports: readonly PublishedPort[]): Promise<readonly PublishedPort[]> {
    const opened: Opened[] = [];
    const lost: PublishedPort[] = [];
    for (const port of ports) {
      this.#ledger.take(port);
      try {
        opened.push({ port, claim: await this.#claim(socketOf(port)) });
      } catch (error) {
        if (!isErrno(error)) throw error;
        lost.push(port);
        opened.push({ port, claim: { [Symbol.asyncDispose]: async () => {} } });
      }
    }
    this.#opened.set(id, opened);
    return lost;
  }

  /** Gives a container's ports back. Nothing to do is success. */
  async close(id: ContainerId): Promise<void> {
    const opened = this.#opened.get(id) ?? [];
    this.#opened.delete(id);
    await this.#closeAll(opened);
  }

  /** Lets go of every socket; the containers keep their ports. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const id of [...this.#opened.keys()]) await this.close(id);
  }

  async #openOne(search: Search): Promise<Opened> {
    const { protocol, containerPort, hostAddress, hostPorts } = search.request;
    const isFixed = hostPorts !== undefined && hostPorts.first === hostPorts.last;
    for (const hostPort of this.#candidates(hostPorts)) {
      const port = { protocol, containerPort, hostAddress, hostPort };
      if (!this.#ledger.take(port)) {
        if (isFixed) throw alreadyAllocated(port);
        continue;
      }
      try {
        return { port, claim: await this.#claim(socketOf(port)) };
      } catch (error) {
        this.#ledger.giveBack(port);
        if (isFixed || !isErrno(error, 'EADDRINUSE', 'EACCES')) throw bindFailed(port, search.containerAddress, error);
      }
    }
    throw new EngineError('conflict', 'all ports are allocated');
  }

  *#candidates(hostPorts: PortRequest['hostPorts']): Generator<number, void, undefined> {
    if (hostPorts !== undefined) {
      for (let port = hostPorts.first; port <= hostPorts.last; port += 1) yield port;
      return;
    }
    const { first, last } = this.#ephemeral;
    for (let tried = first; tried <= last; tried += 1) {
      const port = this.#next;
      this.#next = port >= last ? first : port + 1;
      yield port;
    }
  }

  async #closeAll(opened: readonly Opened[]): Promise<void> {
    for (const { port, claim } of opened) {
      await claim[Symbol.asyncDispose]();
      this.#ledger.giveBack(port);
    }
  }
}

function socketOf({ protocol, hostAddress: address, hostPort: port }: HostPlace): HostPort {
  return { protocol, address, port };
}

function alreadyAllocated({ hostAddress, hostPort }: PublishedPort): EngineError {
  return new EngineError('conflict', `Bind for ${hostAddress}:${hostPort} failed: port is already allocated`);
}

function bindFailed(port: PublishedPort, containerAddress: string, cause: unknown): EngineError {
  const where = `${port.hostAddress}:${port.hostPort}:${containerAddress}:${port.containerPort}/${port.protocol}`;
  return new EngineError('conflict', `failed to bind host port for ${where}: ${wordsOf(cause)}`, { cause });
}

/** Go's words for the errors of bind(2). */
function wordsOf(error: unknown): string {
  if (isErrno(error, 'EADDRINUSE')) return 'address already in use';
  if (isErrno(error, 'EADDRNOTAVAIL')) return 'cannot assign requested address';
  if (isErrno(error, 'EACCES')) return 'permission denied';
  return error instanceof Error ? error.message : String(error);
}

/** Who takes any port takes none that another of the same container must have. Source: go-connections nat.SortPortMap. */
function leastChoiceFirst(requests: readonly PortRequest[]): readonly PortRequest[] {
  const choices = ({ hostPorts }: PortRequest): number =>
    hostPorts === undefined ? PORT_MAX : hostPorts.last - hostPorts.first;
  return requests.toSorted((one, other) => choices(one) - choices(other));
}
