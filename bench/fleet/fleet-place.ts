import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { FleetClient } from '@fairlead/client/fleet';
import { createKey } from '@fairlead/fleet/testing';
import { heartbeatMs } from '@fairlead/protocol/fleet';
import { processWeights } from '../memory.ts';
import type { PooledHost, PoolOrder, PoolWay } from './agent-pool.ts';
import { AgentPool } from './agent-process.ts';
import { spawnBound } from './bound-child.ts';
import { Inspectable, INSPECTABLE, type Inspected } from './inspected.ts';
import { processorSeconds } from './processor-time.ts';

const PROGRAM = join(import.meta.dirname, '../../packages/cli/src/main.ts');
/** Processor time, in seconds. */
export interface FleetCpu {
  readonly hub: number;
  readonly nats: number;
  readonly agents: number;
}

/** Agents of one process: more would make the process the limit, not the hub. */
const PER_POOL = 500;
/** Each enrolment has the nats-server read its users anew; those that come together share that. */
const ENROL_AT_ONCE = 200;

/** A hub as its own process, in a directory of its own, with pools of agents. Disposing ends and removes everything. */
export class FleetPlace implements AsyncDisposable {
  readonly directory: string = mkdtempSync(join(tmpdir(), 'fleet-bench-'));
  readonly #pools: AgentPool[] = [];
  #hub: ChildProcess | undefined;
  #inspectable: Inspectable | undefined;
  #port = 0;
  #enrolled = 0;

  get socket(): string {
    return `unix://${join(this.directory, 'hub.sock')}`;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get hubPid(): number {
    return this.#hub?.pid ?? 0;
  }

  /** Starts the hub, or starts it again; resolves when it serves. */
  async startHub(): Promise<void> {
    const files = ['--state-dir', join(this.directory, 'state'), '--socket', join(this.directory, 'hub.sock')];
    const args = [...INSPECTABLE, PROGRAM, 'hub', ...files, '--listen', `127.0.0.1:${this.#port}`];
    const hub = spawnBound(args, ['ignore', 'pipe', 'pipe']);
    const { stdout, stderr } = hub;
    if (stdout === null || stderr === null) throw new Error('a hub without its pipes');
    this.#hub = hub;
    this.#inspectable = new Inspectable(hub, stderr);
    for await (const line of createInterface(stdout)) {
      const port = /:(\d+)\b/.exec(line)?.[1];
      if (port === undefined) continue;
      this.#port = Number(port);
      stdout.resume();
      return;
    }
    throw new Error('the hub ended');
  }

  async inspectHub(): Promise<Inspected> {
    if (this.#inspectable === undefined) throw new Error('there is no hub');
    return await this.#inspectable.attach();
  }

  async killHub(): Promise<void> {
    const hub = this.#hub;
    if (hub === undefined) return;
    const gone = once(hub, 'exit');
    hub.kill('SIGKILL');
    await gone;
  }

  /** Enrols hosts, as many agents would. @returns their keys. */
  async enrol(count: number): Promise<readonly PooledHost[]> {
    await using fleet = await FleetClient.open({ hub: this.socket });
    const hosts: PooledHost[] = [];
    const next = async (): Promise<void> => {
      while (hosts.length < count) {
        const key = createKey();
        const at = hosts.push({ host: '', publicKey: key.publicKey, seed: new TextDecoder().decode(key.seed) }) - 1;
        const { token } = await fleet.createEnrolmentToken({ name: `bench-${at}`, labels: { role: 'bench' } });
        const host = await this.#enrolOne(token, key.publicKey);
        hosts[at] = { ...(hosts[at] as PooledHost), host };
      }
    };
    await Promise.all(Array.from({ length: ENROL_AT_ONCE }, next));
    this.#enrolled += hosts.length;
    return hosts;
  }

  /** Starts agents of some hosts. @returns how long it took until the hub had greeted all of them, ms. */
  async startAgents(way: PoolWay, hosts: readonly PooledHost[]): Promise<number> {
    const startedAt = performance.now();
    for (let at = 0; at < hosts.length; at += PER_POOL) {
      const order: PoolOrder = {
        way,
        hosts: hosts.slice(at, at + PER_POOL),
        heartbeatMs: heartbeatMs(this.#enrolled),
      };
      this.#pools.push(new AgentPool(order));
    }
    await this.linked(1);
    return performance.now() - startedAt;
  }

  /** Resolves when all agents are linked for the so-and-so-many-th time. */
  async linked(times: number): Promise<void> {
    await Promise.all(this.#pools.map((pool) => pool.linked(times)));
  }

  /** Of the hub's child. */
  natsPid(): number {
    return (
      processWeights().find(({ parent, name }) => parent === this.hubPid && name.startsWith('nats-server'))?.pid ?? 0
    );
  }

  /** What hub, nats-server and agents have had of the processors so far, in seconds. */
  cpu(): FleetCpu {
    const agents = this.#pools.map(({ pid }) => processorSeconds(pid));
    return {
      hub: processorSeconds(this.hubPid),
      nats: processorSeconds(this.natsPid()),
      agents: agents.reduce((sum, one) => sum + one, 0),
    };
  }

  /** Memory of the hub and of its nats-server, PSS in bytes. */
  memory(): { readonly hubBytes: number; readonly natsBytes: number } {
    const weights = processWeights();
    const [hub, nats] = [this.hubPid, this.natsPid()].map((wanted) => weights.find(({ pid }) => pid === wanted));
    return { hubBytes: hub?.pssBytes ?? 0, natsBytes: nats?.pssBytes ?? 0 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pool of this.#pools) await pool[Symbol.asyncDispose]();
    if (this.#hub !== undefined && this.#hub.exitCode === null && this.#hub.signalCode === null) {
      const gone = once(this.#hub, 'exit');
      this.#hub.kill('SIGTERM');
      await gone;
    }
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #enrolOne(token: string, publicKey: string): Promise<string> {
    const headers = { 'Content-Type': 'application/json' };
    const body = JSON.stringify({ token, publicKey });
    const answer = await fetch(`${this.url}/v1/enrol`, { method: 'POST', headers, body });
    const document = (await answer.json()) as { readonly host?: string; readonly message?: string };
    if (document.host === undefined) throw new Error(`not enrolled: ${document.message}`);
    return document.host;
  }
}
