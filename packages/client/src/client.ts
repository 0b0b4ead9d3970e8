import { type ApiVersion, type SystemInfo, systemEndpoints } from '@fairlead/protocol';
import { call, type CallDeps } from './call.ts';
import { ContainerGroup } from './groups/containers.ts';
import type { ClientDeps } from './groups/group.ts';
import { ImageGroup } from './groups/images.ts';
import { OperationGroup } from './groups/operations.ts';
import { SystemGroup } from './groups/system.ts';
import { type EngineTraits, Negotiation } from './negotiate.ts';
import { runContainer, type RunOptions, type RunResult } from './run.ts';
import type { EventFeedItem, EventOptions } from './streams/event-feed.ts';
import { parseAddress, transportTo } from './transport/address.ts';
import { HttpConnections } from './transport/http-connections.ts';
import type { Transport } from './transport/transport.ts';

/** Where Fairlead listens when nobody says otherwise. */
export const FAIRLEAD_SOCKET = '/run/fairlead/fairlead.sock';
/** Where Docker listens. Source: docker client, DefaultDockerHost. */
export const DOCKER_SOCKET = '/var/run/docker.sock';

export interface ConnectOptions {
  /** `unix:///PATH` or `tcp://HOST:PORT`. Absent: `DOCKER_HOST`, else Fairlead's socket if it is there, else Docker's. */
  readonly host?: string | undefined;
  /** Another way to an engine, instead of `host`. */
  readonly transport?: Transport | undefined;
  /** Speak this version instead of negotiating one. */
  readonly apiVersion?: ApiVersion | undefined;
  /** How the caller shows up in the engine's ledger. */
  readonly userAgent?: string | undefined;
  /** Where `DOCKER_HOST` and `DOCKER_API_VERSION` are read. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** How this SDK names itself. */
export const USER_AGENT = 'fairlead-client/0.1.0';

/**
 * A client of the engine at `host`. Nothing is sent before the first call; dispose it to close idle connections.
 *
 * @throws EngineError 'invalid-argument' when the address cannot be read.
 */
export async function connect(options: ConnectOptions = {}): Promise<Client> {
  const env = options.env ?? process.env;
  const transport = options.transport ?? transportTo(parseAddress(options.host ?? (await hostFrom(env))));
  const pinned = options.apiVersion ?? (env['DOCKER_API_VERSION'] || undefined);
  return new Client(transport, { pinned, userAgent: options.userAgent ?? USER_AGENT });
}

async function hostFrom(env: Readonly<Record<string, string | undefined>>): Promise<string> {
  const named = env['DOCKER_HOST'];
  if (named !== undefined && named !== '') return named;
  const { stat } = await import('node:fs/promises');
  const isThere = await stat(FAIRLEAD_SOCKET).then(
    (found) => found.isSocket(),
    () => false,
  );
  return `unix://${isThere ? FAIRLEAD_SOCKET : DOCKER_SOCKET}`;
}

/** Calls to one engine. */
export class Client implements AsyncDisposable {
  readonly containers: ContainerGroup;
  readonly images: ImageGroup;
  readonly operations: OperationGroup;
  readonly system: SystemGroup;
  readonly #transport: Transport;
  readonly #connections: HttpConnections;
  readonly #negotiation: Negotiation;

  constructor(transport: Transport, options: { readonly pinned: ApiVersion | undefined; readonly userAgent: string }) {
    this.#transport = transport;
    this.#connections = new HttpConnections(transport);
    this.#negotiation = new Negotiation(this.#connections, options.pinned);
    const shared = { connections: this.#connections, negotiation: this.#negotiation, userAgent: options.userAgent };
    const deps: ClientDeps = {
      ...shared,
      info: onceInfo(shared),
      onFreshConnection: async (ask) => {
        using connections = new HttpConnections(transport);
        return await ask({ ...shared, connections });
      },
    };
    this.containers = new ContainerGroup(deps);
    this.images = new ImageGroup(deps);
    this.operations = new OperationGroup(deps);
    this.system = new SystemGroup(deps);
  }

  /** The address, as a person would write it. */
  get address(): string {
    return this.#transport.describe();
  }

  /** What the first contact told; makes it when there was none. */
  traits(signal: AbortSignal = new AbortController().signal): Promise<EngineTraits> {
    return this.#negotiation.traits(signal);
  }

  events(options: EventOptions = {}): AsyncGenerator<EventFeedItem, void, undefined> {
    return this.system.events(options);
  }

  /** Makes a container, runs it to its end and gives back what it wrote. @throws as `runContainer`. */
  run(image: string, command: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return runContainer(this.containers, { image, command }, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connections[Symbol.dispose]();
  }
}

/** Asked once: what it tells does not change while an engine runs. A failed question is asked again. */
function onceInfo(deps: CallDeps): (signal: AbortSignal) => Promise<SystemInfo> {
  let known: SystemInfo | undefined;
  return async (signal) => (known ??= (await call(deps, systemEndpoints.info, { operation: 'info', signal })).body);
}
