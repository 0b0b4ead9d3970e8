import { setTimeout as sleep } from 'node:timers/promises';
import { type FleetLog, wordsOf } from '../../lib/log.ts';
import { Trunk } from '../../trunk/trunk.ts';
import type { DialledTrunk } from '../link/dial-hub.ts';

/** So long does the first viewer wait for a trunk; then NATS carries the session. */
const WAIT_MS = 1_000;
/** A hub that could not be reached is dialled again after this. */
const AGAIN_MS = 30_000;
/** A trunk that carries nothing is ended after this, or twice this. */
const IDLE_MS = 60_000;

export interface AgentTrunksDeps {
  /** Opens one to the hub at the address that this agent knows: with several hubs behind it, to any of them. */
  readonly dial: (signal: AbortSignal) => Promise<DialledTrunk>;
  readonly log: FleetLog;
  /** Of tests that cannot wait; `AGAIN_MS` when absent. */
  readonly againMs?: number;
}

/** The trunks of this agent, by the hub they lead to: dialled when somebody there looks at a session. */
export class AgentTrunks implements Disposable {
  readonly #deps: AgentTrunksDeps;
  readonly #trunks = new Map<string, Trunk>();
  readonly #leaving = new AbortController();
  #dialling: Promise<void> | undefined;
  #unreached: { readonly hub: string; readonly untilMs: number } | undefined;

  constructor(deps: AgentTrunksDeps) {
    this.#deps = deps;
  }

  /** The trunk to this hub; undefined when there is none to be had at the moment. */
  async to(hub: string): Promise<Trunk | undefined> {
    const there = this.#trunks.get(hub);
    if (there?.isOpen === true) return there;
    if (this.#unreached?.hub === hub && performance.now() < this.#unreached.untilMs) return undefined;
    this.#dialling ??= this.#dial().finally(() => (this.#dialling = undefined));
    await Promise.race([this.#dialling, sleep(WAIT_MS, undefined, { ref: false })]);
    const dialled = this.#trunks.get(hub);
    if (dialled?.isOpen === true) return dialled;
    this.#unreached = { hub, untilMs: performance.now() + (this.#deps.againMs ?? AGAIN_MS) };
    return undefined;
  }

  [Symbol.dispose](): void {
    this.#leaving.abort(new Error('the agent is leaving'));
    for (const trunk of this.#trunks.values()) trunk[Symbol.dispose]();
  }

  async #dial(): Promise<void> {
    try {
      const { hub, id, socket } = await this.#deps.dial(this.#leaving.signal);
      if (this.#leaving.signal.aborted) return void socket.destroy();
      const trunk = new Trunk(socket, { id });
      this.#trunks.set(hub, trunk);
      this.#deps.log.event('agent.trunk.up', { hub });
      void this.#keep(hub, trunk);
    } catch (error) {
      if (!this.#leaving.signal.aborted) this.#deps.log.warning('agent.trunk.failed', { why: wordsOf(error) });
    }
  }

  async #keep(hub: string, trunk: Trunk): Promise<void> {
    let wasIdle = false;
    const idle = setInterval(() => {
      if (wasIdle && trunk.isIdle) trunk[Symbol.dispose]();
      wasIdle = trunk.isIdle;
    }, IDLE_MS).unref();
    await trunk.ended;
    clearInterval(idle);
    if (this.#trunks.get(hub) === trunk) this.#trunks.delete(hub);
    this.#deps.log.event('agent.trunk.down', { hub });
  }
}
