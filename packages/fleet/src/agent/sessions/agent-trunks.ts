import { setTimeout as sleep } from 'node:timers/promises';
import { type FleetLog, wordsOf } from '../../lib/log.ts';
import { Trunk } from '../../trunk/trunk.ts';
import type { DialledTrunk } from '../link/dial-hub.ts';

/** So long do the first viewers wait for a trunk; then NATS carries what they see. */
const WAIT_MS = 1_000;
/** A hub that could not be reached is dialled again after this, and nobody waits for that. */
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

/** An attempt. */
interface Dialling {
  readonly done: Promise<void>;
  /** Viewers that come wait for it, as long as none has waited in vain. */
  isAwaited: boolean;
}

/** The trunks of this agent, by the hub they lead to: dialled when somebody there looks at a session. */
export class AgentTrunks implements Disposable {
  readonly #deps: AgentTrunksDeps;
  readonly #trunks = new Map<string, Trunk>();
  readonly #leaving = new AbortController();
  #dialling: Dialling | undefined;
  #unreached: { readonly hub: string; readonly untilMs: number } | undefined;

  constructor(deps: AgentTrunksDeps) {
    this.#deps = deps;
  }

  /** The trunk to this hub; undefined when there is none to be had at the moment. */
  async to(hub: string): Promise<Trunk | undefined> {
    const there = this.#openTo(hub);
    if (there !== undefined) return there;
    const dialling = (this.#dialling ??= this.#begin(hub));
    if (dialling?.isAwaited !== true) return undefined;
    await Promise.race([dialling.done, sleep(WAIT_MS, undefined, { ref: false })]);
    dialling.isAwaited = false;
    return this.#openTo(hub);
  }

  [Symbol.dispose](): void {
    this.#leaving.abort(new Error('the agent is leaving'));
    for (const trunk of this.#trunks.values()) trunk[Symbol.dispose]();
  }

  #openTo(hub: string): Trunk | undefined {
    const trunk = this.#trunks.get(hub);
    return trunk?.isOpen === true ? trunk : undefined;
  }

  #begin(hub: string): Dialling | undefined {
    const before = this.#unreached?.hub === hub ? this.#unreached : undefined;
    if (before !== undefined && performance.now() < before.untilMs) return undefined;
    const done = this.#dial().finally(() => {
      this.#dialling = undefined;
      const untilMs = performance.now() + (this.#deps.againMs ?? AGAIN_MS);
      this.#unreached = this.#openTo(hub) === undefined ? { hub, untilMs } : undefined;
    });
    return { done, isAwaited: before === undefined };
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
