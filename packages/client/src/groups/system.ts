import {
  DEFAULT_DOMAIN,
  type DiskUsage,
  type Filters,
  type PruneBuildReport,
  pruneEndpoints,
  type RegistryAuthResponse,
  registryEndpoints,
  systemEndpoints as rows,
  type SystemInfo,
  type VersionInfo,
} from '@fairlead/protocol';
import { call } from '../call.ts';
import { type EventFeedItem, type EventOptions, followEvents } from '../streams/event-feed.ts';
import { type RegistryLogin, registryKey } from '../registry/registry-login.ts';
import { type ClientDeps, type Listening, signalOf } from './group.ts';
import { askEvents } from './watch-container.ts';

/** The engine itself. */
export class SystemGroup {
  readonly #deps: ClientDeps;

  constructor(deps: ClientDeps) {
    this.#deps = deps;
  }

  /** Resolves when the engine answers. */
  async ping(options: Listening = {}): Promise<void> {
    await call(this.#deps, rows.ping, { operation: 'ping', signal: signalOf(options) });
  }

  async version(options: Listening = {}): Promise<VersionInfo> {
    return (await call(this.#deps, rows.version, { operation: 'version', signal: signalOf(options) })).body;
  }

  async info(options: Listening = {}): Promise<SystemInfo> {
    return (await call(this.#deps, rows.info, { operation: 'info', signal: signalOf(options) })).body;
  }

  /** What happens, as it happens. Breaking off the iteration frees the connection. @throws as `followEvents`. */
  events(options: EventOptions = {}): AsyncGenerator<EventFeedItem, void, undefined> {
    const { until, filters } = options;
    return followEvents((since, signal) => askEvents(this.#deps, { since, until, filters }, signal), options);
  }

  /** What images, containers and volumes take of the disk. `types`: `container`, `image`, `volume`, `build-cache`; absent: all. */
  async diskUsage(options: Listening & { readonly types?: readonly string[] | undefined } = {}): Promise<DiskUsage> {
    const query = { type: options.types };
    return (await call(this.#deps, rows.diskUsage, { operation: 'df', query, signal: signalOf(options) })).body;
  }

  /**
   * Lets the engine try a login; nothing keeps it.
   *
   * @param registry `registry.example:5000`; absent: Docker Hub
   * @throws RequestFailedError 'unauthorized'.
   */
  async login(
    login: RegistryLogin,
    options: Listening & { readonly registry?: string | undefined } = {},
  ): Promise<RegistryAuthResponse> {
    const { username, password, identityToken } = login;
    const serveraddress = registryKey(options.registry ?? DEFAULT_DOMAIN);
    const body = { username, password, identitytoken: identityToken, serveraddress };
    const asked = { operation: `login to ${serveraddress}`, body, signal: signalOf(options) };
    return (await call(this.#deps, registryEndpoints.auth, asked)).body;
  }

  /** Removes what the builder keeps for its next build. */
  async pruneBuildCache(
    options: Listening & { readonly filters?: Filters | undefined } = {},
  ): Promise<PruneBuildReport> {
    const { filters } = options;
    const asked = { operation: 'prune build cache', query: { filters }, signal: signalOf(options) };
    return (await call(this.#deps, pruneEndpoints.build, asked)).body;
  }
}
