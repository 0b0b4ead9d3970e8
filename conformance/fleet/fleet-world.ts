import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Hub, runAgent, silentFleetLog, startHub } from '@fairlead/fleet';
import type { FleetRole } from '@fairlead/protocol/fleet';
import { EngineUnderTest, type EngineKind } from '../engines.ts';

/** How a host of the fleet is set up. */
export interface FleetHostOptions {
  readonly kind?: EngineKind;
  readonly policy?: object;
  readonly labels?: Readonly<Record<string, string>>;
}

/** A hub with hosts, each with a real engine and an agent in this process. Disposing ends and removes everything. */
export class FleetWorld implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack();
  readonly #directory: string;
  readonly #engine: EngineUnderTest;
  #hub: Hub;

  private constructor(engine: EngineUnderTest, directory: string, hub: Hub) {
    this.#engine = engine;
    this.#directory = directory;
    this.#hub = hub;
  }

  /** With one host, `web`. */
  static async open(options: FleetHostOptions = {}): Promise<FleetWorld> {
    await using undo = new AsyncDisposableStack();
    const engine = undo.use(await EngineUnderTest.start(options.kind ?? 'fairlead'));
    const directory = join(engine.directory, 'fleet');
    mkdirSync(directory);
    const world = new FleetWorld(engine, directory, undo.use(await startHubIn(directory, 0)));
    undo.defer(() => world.#stack.disposeAsync());
    await world.#addAgent('web', options);
    undo.move();
    return world;
  }

  /** Over its socket whoever asks is local root. */
  get socket(): string {
    return `unix://${this.#hub.socket ?? ''}`;
  }

  get url(): URL {
    return new URL(this.#hub.url ?? '');
  }

  get engine(): EngineUnderTest {
    return this.#engine;
  }

  /** A user's token. */
  async user(name: string, role: FleetRole): Promise<string> {
    return (await this.#hub.parts.accounts.create({ name, role })).token;
  }

  /** Ends the hub and starts it again at the same port. */
  async restartHub(): Promise<void> {
    const port = Number(this.url.port);
    await this.#hub[Symbol.asyncDispose]();
    this.#hub = await startHubIn(this.#directory, port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
    await this.#hub[Symbol.asyncDispose]();
    await this.#engine[Symbol.asyncDispose]();
  }

  async #addAgent(name: string, { policy, labels = {} }: FleetHostOptions): Promise<void> {
    const { token } = await this.#hub.parts.enrolment.makeToken({ name, labels }, 'local');
    const stateDir = join(this.#directory, `agent-${name}`);
    const policyFile = join(this.#directory, `policy-${name}.json`);
    if (policy !== undefined) writeFileSync(policyFile, JSON.stringify(policy));
    const leaving = new AbortController();
    const running = runAgent(
      {
        stateDir,
        hub: this.url.href,
        token,
        engine: `unix://${this.#engine.socketPath}`,
        policy: policy === undefined ? undefined : policyFile,
        env: {},
        log: silentFleetLog,
      },
      leaving.signal,
    );
    this.#stack.defer(async () => {
      leaving.abort();
      await running;
    });
    const isOnline = (): boolean => {
      const host = this.#hub.parts.hosts.find(name);
      return host !== undefined && this.#hub.parts.presence.get(host.id)?.online === true;
    };
    for (let tries = 0; !isOnline(); tries += 1) {
      if (tries > 3_000) throw new Error('the agent does not come');
      await Promise.race([sleep(20), running.then(() => Promise.reject(new Error('the agent ended')))]);
    }
  }
}

async function startHubIn(directory: string, port: number): Promise<Hub> {
  const state = join(directory, 'hub');
  const listen = { host: '127.0.0.1', port };
  const options = { directory: state, socket: join(directory, 'hub.sock'), listen, log: silentFleetLog };
  return await startHub(options, AbortSignal.timeout(60_000));
}
