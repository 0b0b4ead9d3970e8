import type { Client } from '@fairlead/client';
import {
  type Allowances,
  Budget,
  type ContainerInspect,
  DOCKER_ALLOWANCES,
  type EventMessage,
  isEngineError,
  KILL_CONFIRM_DOCKER_MS,
  type Operation,
} from '@fairlead/protocol';
import type { FleetPhase } from '@fairlead/protocol/fleet';
import { budgetSignal } from '../../lib/budget-signal.ts';

/** An engine that does not answer a look within this counts as silent. */
export const LOOK_MS = 10_000;

/** The host's engine as the agent uses it: looks that have an end, and what happens to one container. */
export class EngineSide {
  readonly client: Client;
  readonly #listeners = new Map<string, Set<(phase: FleetPhase) => void>>();

  constructor(client: Client) {
    this.client = client;
  }

  /** Undefined: there is no such container. @throws EngineUnreachableError; TimeoutError after `LOOK_MS`. */
  async inspect(ref: string, signal: AbortSignal): Promise<ContainerInspect | undefined> {
    return await this.look((limited) => this.client.containers.inspect(ref, { signal: limited }), signal);
  }

  /** Any question about something that may not be there. @throws as `inspect`. */
  async look<T>(ask: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
    try {
      return await ask(budgetSignal(Budget.of(LOOK_MS, performance.now()), signal));
    } catch (error) {
      if (isEngineError(error) && error.kind === 'not-found') return undefined;
      throw error;
    }
  }

  /** What the engine is at and was at, newest first; undefined: it keeps no ledger. @throws as `inspect`. */
  async ledger(signal: AbortSignal): Promise<readonly Operation[] | undefined> {
    const limited = budgetSignal(Budget.of(LOOK_MS, performance.now()), signal);
    const { isFairlead } = await this.client.traits(limited);
    return isFairlead ? await this.look((one) => this.client.operations.list({ signal: one }), signal) : undefined;
  }

  /** What this engine may take for each verb. @throws as `inspect`. */
  async allowances(signal: AbortSignal): Promise<Allowances> {
    const limited = budgetSignal(Budget.of(LOOK_MS, performance.now()), signal);
    const { isFairlead } = await this.client.traits(limited);
    if (!isFairlead) return DOCKER_ALLOWANCES;
    const { KillConfirmMs = KILL_CONFIRM_DOCKER_MS } = await this.client.system.info({ signal: limited });
    return { ...DOCKER_ALLOWANCES, killConfirmMs: KillConfirmMs };
  }

  /** Told the phases of a stop as the engine's events show them, until disposed of. */
  onPhase(containerId: string, listener: (phase: FleetPhase) => void): Disposable {
    const listeners = this.#listeners.get(containerId) ?? new Set();
    this.#listeners.set(containerId, listeners.add(listener));
    return {
      [Symbol.dispose]: () => {
        listeners.delete(listener);
        if (listeners.size === 0) this.#listeners.delete(containerId);
      },
    };
  }

  /** One event of the engine, for whoever listens to that container. */
  take(event: EventMessage): void {
    const phase = phaseIn(event);
    if (phase !== undefined) for (const listener of this.#listeners.get(event.Actor.ID) ?? []) listener(phase);
  }
}

/** SIGKILL by name or number, as engines write it. */
const KILL_WORDS: ReadonlySet<string> = new Set(['9', 'SIGKILL', 'KILL']);

function phaseIn({ Type, Action, Actor }: EventMessage): FleetPhase | undefined {
  if (Type !== 'container') return undefined;
  if (Action === 'die' || Action === 'died') return 'confirm';
  if (Action !== 'kill') return undefined;
  const signal = Actor.Attributes['signal'];
  // Podman does not say which signal it was.
  if (signal === undefined) return undefined;
  return KILL_WORDS.has(signal) ? 'kill' : 'grace';
}
