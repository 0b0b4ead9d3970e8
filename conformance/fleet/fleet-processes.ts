import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FleetClient } from '@fairlead/client/fleet';
import { FairleadCli } from '../fairlead-cli.ts';
import type { CommandResult, RunningCommand } from '../running-command.ts';
import { endFairlead, type FairleadProcessOptions, startFairlead } from './fairlead-process.ts';

/** What has to happen in the end; a loaded machine takes its time. */
const WITHIN_MS = 60_000;

/** Where the hub listens, and as what. */
export interface HubProcessOptions {
  /** `HOST:PORT`; a free port of loopback when absent. */
  readonly listen?: string;
  readonly args?: readonly string[];
}

/** Which engine an agent commands, and how it gets to the hub. */
export interface AgentProcessOptions extends FairleadProcessOptions {
  readonly engine: string;
  /** Else the hub's own address. */
  readonly hub?: string;
  readonly labels?: readonly string[];
  /** Certificates to trust at the hub. */
  readonly hubCa?: string;
}

/** A fleet as it is run: `fairlead hub` and `fairlead agent`, each a process that can be killed. Disposing ends and removes everything. */
export class FleetProcesses implements AsyncDisposable {
  readonly directory: string;
  /** As local root, over the hub's socket. */
  readonly fleet: FleetClient;
  readonly #hubArgs: readonly string[];
  readonly #agents = new Map<string, { readonly options: AgentProcessOptions; command: RunningCommand }>();
  #listen: string;
  #hub: RunningCommand | undefined;
  #url = '';

  private constructor(directory: string, fleet: FleetClient, { listen = '127.0.0.1:0', args = [] }: HubProcessOptions) {
    this.directory = directory;
    this.fleet = fleet;
    this.#listen = listen;
    this.#hubArgs = args;
  }

  static async open(options: HubProcessOptions = {}): Promise<FleetProcesses> {
    const directory = await mkdtemp(join(tmpdir(), 'fp-'));
    const fleet = await FleetClient.open({ hub: `unix://${directory}/hub.sock` });
    await using undo = new AsyncDisposableStack();
    const processes = undo.use(new FleetProcesses(directory, fleet, options));
    await processes.startHub();
    undo.move();
    return processes;
  }

  /** Over its socket whoever asks is local root. */
  get socket(): string {
    return `unix://${this.directory}/hub.sock`;
  }

  /** Of the hub's port. */
  get url(): URL {
    return new URL(this.#url);
  }

  /** Runs our command line as somebody on the hub's machine. */
  async run(...args: readonly string[]): Promise<CommandResult> {
    return await this.cli.run(args);
  }

  get cli(): FairleadCli {
    return new FairleadCli(undefined, { FAIRLEAD_HUB: this.socket });
  }

  /** Again at the same port, when it ran before. */
  async startHub(): Promise<void> {
    const files = ['--state-dir', join(this.directory, 'hub'), '--socket', join(this.directory, 'hub.sock')];
    this.#hub = startFairlead(['hub', ...files, '--listen', this.#listen, ...this.#hubArgs]);
    const [, url = ''] = await this.#hub.says(/^hub: (http\S+) /m, { withinMs: WITHIN_MS });
    this.#url = url;
    this.#listen = this.url.host;
  }

  /** Without notice. */
  async killHub(): Promise<void> {
    if (this.#hub !== undefined) await endFairlead(this.#hub, 'SIGKILL');
  }

  /** Enrols a host and resolves when it is online. @returns the token that it used. */
  async addHost(name: string, options: AgentProcessOptions): Promise<string> {
    const labels = (options.labels ?? []).flatMap((label) => ['--label', label]);
    const made = await this.run('fleet', 'token', 'create', '--name', name, ...labels);
    if (made.exitCode !== 0) throw new Error(made.stderr);
    const ca = options.hubCa === undefined ? [] : ['--hub-ca', options.hubCa];
    const token = made.stdout.trim();
    const enrolment = ['--hub', options.hub ?? this.#url, ...ca, '--token', token];
    this.#agents.set(name, { options, command: this.#agentOf(name, { options, more: enrolment }) });
    await this.online(name);
    return token;
  }

  /** Starts the agent of a host again, with what it kept of its first time. `env` is for this time. */
  async startAgent(name: string, env: Readonly<Record<string, string>> = {}): Promise<void> {
    const agent = this.#agent(name);
    const options = { ...agent.options, env: { ...agent.options.env, ...env } };
    agent.command = this.#agentOf(name, { options, more: [] });
    await this.online(name);
  }

  /** Without notice, unless the signal gives it some. Resolves when the hub has noticed: until then it takes the host for online. */
  async killAgent(name: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await endFairlead(this.#agent(name).command, signal);
    await this.offline(name);
  }

  /** Resolves when it has ended by itself. */
  async agentEnded(name: string): Promise<CommandResult> {
    return await this.#agent(name).command.result();
  }

  async offline(name: string): Promise<void> {
    await this.until(`${name} is offline`, async () => (await this.fleet.host(name)).state === 'offline');
  }

  /** @throws Error with what its agent said, when it does not come. */
  async online(name: string): Promise<void> {
    await this.until(`${name} is online`, async () => (await this.fleet.host(name)).state === 'online').catch(
      (error: unknown) => {
        throw new Error(this.#agent(name).command.stderr, { cause: error });
      },
    );
  }

  /** Looks until it is so; a hub that is away for a moment is asked again. @throws Error after a minute. */
  async until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    const untilMs = performance.now() + WITHIN_MS;
    let last: unknown;
    while (performance.now() < untilMs) {
      const so = await isSo().catch((error: unknown) => {
        last = error;
        return false;
      });
      if (so) return;
      await sleep(50);
    }
    throw new Error(`it never came to this: ${what}`, { cause: last });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#agents.values()].map(({ command }) => endFairlead(command, 'SIGTERM')));
    if (this.#hub !== undefined) await endFairlead(this.#hub, 'SIGTERM');
    await this.fleet[Symbol.asyncDispose]();
    await rm(this.directory, { recursive: true, force: true });
  }

  #agent(name: string): { readonly options: AgentProcessOptions; command: RunningCommand } {
    const agent = this.#agents.get(name);
    if (agent === undefined) throw new Error(`no agent ${name}`);
    return agent;
  }

  #agentOf(
    name: string,
    { options, more }: { readonly options: AgentProcessOptions; readonly more: readonly string[] },
  ): RunningCommand {
    const { engine, within, env } = options;
    const args = ['agent', '--state-dir', join(this.directory, `agent-${name}`), '--engine', engine, ...more];
    return startFairlead(args, { within, env });
  }
}
