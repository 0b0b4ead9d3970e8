import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { FleetClient } from '@fairlead/client/fleet';
import { createKey } from '@fairlead/fleet/testing';
import { processWeights } from '../memory.ts';
import type { PooledHost } from './agent-pool.ts';

const PROGRAM = join(import.meta.dirname, '../../packages/cli/src/main.ts');
const POOL = join(import.meta.dirname, 'agent-pool.ts');
/** Agents of one process: more would make the process the limit, not the hub. */
const PER_POOL = 500;
const ENROL_AT_ONCE = 20;

/** A hub as its own process, in a directory of its own, with pools of agents. Disposing ends and removes everything. */
export class FleetPlace implements AsyncDisposable {
  readonly directory: string = mkdtempSync(join(tmpdir(), 'fleet-bench-'));
  readonly #pools: ChildProcess[] = [];
  #hub: ChildProcess | undefined;
  #port = 0;

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
    const args = [PROGRAM, 'hub', ...files, '--listen', `127.0.0.1:${this.#port}`];
    const hub = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    this.#hub = hub;
    for await (const line of createInterface(hub.stdout)) {
      const port = /:(\d+)\b/.exec(line)?.[1];
      if (port === undefined) continue;
      this.#port = Number(port);
      hub.stdout.resume();
      return;
    }
    throw new Error('the hub ended');
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
    return hosts;
  }

  /** Starts their agents. @returns how long it took until all of them were connected, ms. */
  async startAgents(servers: readonly string[], hosts: readonly PooledHost[]): Promise<number> {
    const startedAt = performance.now();
    const pools = Array.from({ length: Math.ceil(hosts.length / PER_POOL) }, (_, at) =>
      this.#startPool(servers, hosts.slice(at * PER_POOL, (at + 1) * PER_POOL)),
    );
    await Promise.all(pools);
    return performance.now() - startedAt;
  }

  /** Memory of the hub and of its nats-server, PSS in bytes. */
  memory(): { readonly hubBytes: number; readonly natsBytes: number } {
    const weights = processWeights();
    const hub = weights.find(({ pid }) => pid === this.hubPid);
    const mine = new Set([this.hubPid]);
    for (const { pid, parent } of weights) if (mine.has(parent)) mine.add(pid);
    const nats = weights.find(({ pid, name }) => mine.has(pid) && name.startsWith('nats-server'));
    return { hubBytes: hub?.pssBytes ?? 0, natsBytes: nats?.pssBytes ?? 0 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pool of this.#pools) {
      const gone = once(pool, 'exit');
      pool.kill('SIGKILL');
      await gone;
    }
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

  async #startPool(servers: readonly string[], hosts: readonly PooledHost[]): Promise<void> {
    const pool = spawn(process.execPath, [POOL], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#pools.push(pool);
    pool.stdin.end(JSON.stringify({ servers, hosts }));
    for await (const line of createInterface(pool.stdout)) if (line.includes('connectedMs')) return;
    throw new Error('a pool of agents ended');
  }
}
