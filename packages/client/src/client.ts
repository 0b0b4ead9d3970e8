import { type ApiVersion, EngineError, type SystemInfo, systemEndpoints } from '@fairlead/protocol';
import type { Duplex } from 'node:stream';
import { call, type CallDeps } from './call.ts';
import { type MonotonicClock, systemClock } from './deadlines/monotonic-clock.ts';
import { ContainerGroup } from './groups/containers.ts';
import type { ClientDeps } from './groups/group.ts';
import { ImageGroup } from './groups/images.ts';
import { NetworkGroup } from './groups/networks.ts';
import { OperationGroup } from './groups/operations.ts';
import { SystemGroup } from './groups/system.ts';
import { VolumeGroup } from './groups/volumes.ts';
import { type EndpointChoice, engineEndpoint } from './endpoint/engine-endpoint.ts';
import { type Environment, variable } from './endpoint/environment.ts';
import { type EngineTraits, Negotiation, parsePinnedVersion } from './negotiate.ts';
import { runContainer, type RunOptions, type RunResult } from './run.ts';
import type { EventFeedItem, EventOptions } from './streams/event-feed.ts';
import { transportTo } from './transport/transport-to.ts';
import { HttpConnections } from './transport/http-connections.ts';
import type { SshOptions } from './transport/ssh.ts';
import type { Transport } from './transport/transport.ts';

/** An engine in this process: `Engine` of `@fairlead/engine` is one. */
export interface InProcessEngine {
  dial(signal: AbortSignal): Promise<Duplex>;
}

/** Which engine, and how to speak with it. What is not said comes from the environment, as with Docker's CLI. */
export interface ConnectOptions extends EndpointChoice {
  /** How to log in for `ssh://`. */
  readonly ssh?: SshOptions | undefined;
  /** An engine in this process: no socket in between. It stays the caller's to dispose. */
  readonly engine?: InProcessEngine | undefined;
  /** Any other way to an engine. */
  readonly transport?: Transport | undefined;
  /** A fleet's hub (`https://HOST:PORT`, `unix:///PATH`); `host` then names one of its hosts. */
  readonly hub?: string | undefined;
  /** Of a user of the hub; its own socket asks for none. */
  readonly token?: string | undefined;
  /** Speak this version instead of negotiating one. */
  readonly apiVersion?: ApiVersion | undefined;
  /** How the caller shows up in the engine's ledger. */
  readonly userAgent?: string | undefined;
  /** Where `DOCKER_HOST`, `DOCKER_CONTEXT`, `DOCKER_TLS_VERIFY`, `DOCKER_API_VERSION` and their like are read. */
  readonly env?: Environment;
}

/** How this SDK names itself. */
export const USER_AGENT = 'fairlead-client/0.1.0';

/**
 * A client of one engine, found as Docker's CLI finds it (see `engineEndpoint`). Nothing is sent before the first call; disposing it
 * frees every connection.
 *
 * @throws EngineError 'invalid-argument' when address, certificates or version cannot be read, 'not-found' for a context.
 */
export async function connect(options: ConnectOptions = {}): Promise<Client> {
  const env = options.env ?? process.env;
  const pinned = options.apiVersion ?? variable(env, 'DOCKER_API_VERSION');
  return new Client(await transportFor(options, env), {
    pinned: pinned === undefined ? undefined : parsePinnedVersion(pinned),
    userAgent: options.userAgent ?? USER_AGENT,
    env,
  });
}

async function transportFor(options: ConnectOptions, env: Environment): Promise<Transport> {
  const { engine, transport, host, context, ssh, hub } = options;
  if (hub !== undefined) return await throughHub(options, hub);
  if ([engine, transport, host ?? context].filter((way) => way !== undefined).length > 1) {
    const message = 'conflicting options: one of host, context, engine and transport says where the engine is';
    throw new EngineError('invalid-argument', message);
  }
  if (transport !== undefined) return transport;
  if (engine !== undefined) return { dial: (signal) => engine.dial(signal), describe: () => 'this process' };
  const { address, tls } = await engineEndpoint(options, env);
  return await transportTo(address, { tls, ssh });
}

/** Loaded when it is asked for: most clients have no fleet. */
async function throughHub(options: ConnectOptions, hub: string): Promise<Transport> {
  const { engine, transport, host, context, token } = options;
  if (host === undefined || (engine ?? transport ?? context) !== undefined) {
    throw new EngineError(
      'invalid-argument',
      'with hub, host names one of its hosts, and nothing else says where the engine is',
    );
  }
  const [{ HubTransport }, { wayToHub }] = await Promise.all([
    import('./fleet/hub-transport.ts'),
    import('./fleet/way-to-hub.ts'),
  ]);
  return new HubTransport({ hub: await wayToHub(hub, options.tls), token }, host);
}

/** What a client knows besides its transport. */
interface ClientOptions {
  readonly pinned: ApiVersion | undefined;
  readonly userAgent: string;
  /** Says where Docker's CLI keeps logins. */
  readonly env: Environment;
  /** What every wait is measured with; this process's own when absent. */
  readonly clock?: MonotonicClock;
}

/** Calls to one engine. */
export class Client implements AsyncDisposable {
  readonly containers: ContainerGroup;
  readonly images: ImageGroup;
  readonly networks: NetworkGroup;
  readonly operations: OperationGroup;
  readonly system: SystemGroup;
  readonly volumes: VolumeGroup;
  readonly #transport: Transport;
  readonly #connections: HttpConnections;
  readonly #negotiation: Negotiation;

  constructor(transport: Transport, options: ClientOptions) {
    this.#transport = transport;
    this.#connections = new HttpConnections(transport);
    this.#negotiation = new Negotiation(this.#connections, options.pinned);
    const shared = { connections: this.#connections, negotiation: this.#negotiation, userAgent: options.userAgent };
    const deps: ClientDeps = {
      ...shared,
      clock: options.clock ?? systemClock,
      address: transport.describe(),
      info: onceInfo(shared),
      logins: async () => (await import('./registry/docker-logins.ts')).dockerLogins(options.env),
      onFreshConnection: async (ask) => {
        await using connections = new HttpConnections(transport);
        return await ask({ ...shared, connections });
      },
    };
    this.containers = new ContainerGroup(deps);
    this.images = new ImageGroup(deps);
    this.networks = new NetworkGroup(deps);
    this.operations = new OperationGroup(deps);
    this.system = new SystemGroup(deps);
    this.volumes = new VolumeGroup(deps);
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

  /** A connection of one's own to the engine, to speak HTTP on. @throws EngineUnreachableError; the signal's reason. */
  dial(signal: AbortSignal): Promise<Duplex> {
    return this.#transport.dial(signal);
  }

  /** Cuts every connection, streams and sessions included, and resolves when their descriptors are free. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connections[Symbol.asyncDispose]();
    await this.#transport[Symbol.asyncDispose]?.();
  }
}

/** Asked once: what it tells does not change while an engine runs. A failed question is asked again. */
function onceInfo(deps: CallDeps): (signal: AbortSignal) => Promise<SystemInfo> {
  let known: SystemInfo | undefined;
  return async (signal) => (known ??= (await call(deps, systemEndpoints.info, { operation: 'info', signal })).body);
}
