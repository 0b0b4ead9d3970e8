import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Client, connect } from '@fairlead/client';
import { type NatsTestPlace, natsTestPlace, ScriptedHub, testAgent, type TestAgent } from '@fairlead/fleet/testing';
import { busyboxImage, dockerArchive } from '@fairlead/testkit';
import { type EngineProgram, EngineProcess } from '../engine-process.ts';
import { makeHome, type PrivateHome, removeHome } from '../private-home.ts';
import type { RunningCommand } from '../running-command.ts';
import { endFairlead, startFairlead } from './fairlead-process.ts';

const COMES_WITHIN_MS = 60_000;

/** One host with an engine of its own, a nats-server, a hub whose words the test decides, and agents one after the other. */
export class AgentWorld implements AsyncDisposable {
  readonly home: PrivateHome;
  readonly client: Client;
  readonly hub: ScriptedHub;
  readonly nats: NatsTestPlace;
  readonly stateDir: string;
  /** Puts the host's key and identity into the state directory, which has them from the beginning. */
  readonly enrol: () => void;
  readonly #stack: AsyncDisposableStack;
  readonly #programOf: (home: PrivateHome) => EngineProgram;
  #engine: EngineProcess;
  /** One after the other. */
  readonly #agents: RunningCommand[] = [];

  private constructor(parts: {
    readonly home: PrivateHome;
    readonly client: Client;
    readonly hub: ScriptedHub;
    readonly nats: NatsTestPlace;
    readonly stack: AsyncDisposableStack;
    readonly engine: EngineProcess;
    readonly programOf: (home: PrivateHome) => EngineProgram;
    readonly enrol: () => void;
  }) {
    this.enrol = parts.enrol;
    this.home = parts.home;
    this.client = parts.client;
    this.hub = parts.hub;
    this.nats = parts.nats;
    this.#stack = parts.stack;
    this.#engine = parts.engine;
    this.#programOf = parts.programOf;
    this.stateDir = join(parts.home.directory, 'agent');
  }

  /** An engine with `busybox:latest`; no agent runs yet. `natsUrl` puts something between the agent and the nats-server. */
  static async open(
    programOf: (home: PrivateHome) => EngineProgram,
    natsUrl: (nats: NatsTestPlace) => Promise<string> = async (nats) => nats.server.url,
  ): Promise<AgentWorld> {
    await using undo = new AsyncDisposableStack();
    const home = await makeHome();
    undo.defer(() => removeHome(home));
    const self = testAgent('a');
    const nats = undo.use(await natsTestPlace([self]));
    const engine = await EngineProcess.start(programOf(home));
    const client = undo.use(await connect({ host: home.host, env: {} }));
    const hub = new ScriptedHub(await nats.hub(), self.host);
    const url = await natsUrl(nats);
    const enrol = (): void => writeIdentity(join(home.directory, 'agent'), self, url);
    const parts = { home, client, hub, nats, engine, programOf, enrol };
    enrol();
    const world = new AgentWorld({ ...parts, stack: undo.move() });
    for await (const _ of client.images.load(
      (async function* () {
        yield await dockerArchive([await busyboxImage()]);
      })(),
    ))
      continue;
    return world;
  }

  /** Starts an agent. `crash` is where it kills itself; `args` are added to its command line. */
  startAgent(
    options: {
      readonly crash?: string;
      readonly args?: readonly string[];
      readonly env?: Readonly<Record<string, string>>;
    } = {},
  ): void {
    const args = ['agent', '--state-dir', this.stateDir, '--engine', this.home.host, ...(options.args ?? [])];
    const crash = options.crash === undefined ? {} : { FAIRLEAD_AGENT_CRASH: options.crash };
    this.#agents.push(startFairlead(args, { env: { ...crash, ...options.env } }));
  }

  /** Starts one and resolves when it has said hello. */
  async startLinkedAgent(options: Parameters<AgentWorld['startAgent']>[0] = {}): Promise<void> {
    const before = this.hub.hellos.length;
    this.startAgent(options);
    const until = performance.now() + COMES_WITHIN_MS;
    while (this.hub.hellos.length === before) {
      if (this.#agents.at(-1)?.isOver === true) throw new Error(`the agent ended:\n${this.agentLog()}`);
      if (performance.now() > until) throw new Error(`the agent does not come:\n${this.agentLog()}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Resolves when the agent has ended by itself. @returns its exit code: 137 when it was killed. */
  async agentEnded(): Promise<number> {
    const agent = this.#agents.at(-1);
    if (agent === undefined) throw new Error('no agent');
    return (await agent.result()).exitCode;
  }

  /** SIGTERM, and its end. @returns its exit code. */
  async stopAgent(signal: NodeJS.Signals = 'SIGTERM'): Promise<number> {
    const agent = this.#agents.at(-1);
    if (agent === undefined) throw new Error('no agent');
    return (await endFairlead(agent, signal)).exitCode;
  }

  /** Of all of them. */
  agentLog(): string {
    return this.#agents.map(({ stdout, stderr }) => stdout + stderr).join('');
  }

  async killEngine(): Promise<void> {
    await this.#engine.kill();
  }

  async startEngine(): Promise<void> {
    this.#engine = await EngineProcess.start(this.#programOf(this.home));
  }

  get enginePid(): number {
    return this.#engine.pid;
  }

  /** A new life of the host as far as the fleet knows: an empty journal and no history. */
  forgetAgent(): void {
    rmSync(join(this.stateDir, 'journal'), { force: true });
    const path = join(this.stateDir, 'identity.json');
    const { journalId: _, ...identity } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    writeFileSync(path, JSON.stringify(identity));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#agents.length > 0) await this.stopAgent('SIGKILL');
    const listed = await this.client.containers.list({ all: true }).catch(() => []);
    for (const { Id } of listed) await this.client.containers.remove(Id, { force: true }).catch(() => {});
    await this.#engine[Symbol.asyncDispose]();
    await this.#stack[Symbol.asyncDispose]();
  }
}

function writeIdentity(directory: string, { host, publicKey, key }: TestAgent, url: string): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'nkey.seed'), key.seed, { mode: 0o600 });
  const identity = { version: 1, host, hub: 'http://127.0.0.1:1', nats: { urls: [url] }, publicKey };
  writeFileSync(join(directory, 'identity.json'), JSON.stringify(identity));
}
