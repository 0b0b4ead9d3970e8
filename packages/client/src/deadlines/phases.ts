import {
  Budget,
  type ContainerRef,
  type EventMessage,
  fairleadEndpoints,
  type Operation,
  type OperationPhase,
} from '@fairlead/protocol';
import { setTimeout as sleep } from 'node:timers/promises';
import { callStream } from '../call.ts';
import { NotFoundError } from '../errors.ts';
import type { ClientDeps } from '../groups/group.ts';
import { containerEvents } from '../groups/watch-container.ts';
import { jsonFeed } from '../streams/json-feed.ts';
import { whenSpent } from './spend-budget.ts';

/** An operation has come so far. */
export interface PhaseReached {
  readonly phase: OperationPhase;
  /** From the asking: by the engine's ledger, else by this process's monotonic clock. */
  readonly atMs: number;
}

/** Called for every phase, in order, each once. What it throws ends the following, not the operation. */
export type OnPhase = (reached: PhaseReached) => void;

/** The request may not have arrived yet when its operation is asked for. */
const ASK_AGAIN_MS = 20;
/** How long a feed may take to open before the operation goes on without being watched, and to tell its end after the answer. */
const FEED_MS = 2_000;

/** What is being followed. */
export interface FollowedOperation {
  readonly ref: ContainerRef;
  /** Its id in the ledger; undefined where there is none: then the container's events tell. */
  readonly operationId: string | undefined;
}

/** A watch over an operation. */
export interface PhaseWatch {
  /** The operation is over: tells what is left to tell. */
  finish(): Promise<void>;
  /** Nobody listens any more. */
  stop(): void;
}

/**
 * Watches an operation that is about to be sent. What goes wrong with the watching never touches the operation.
 *
 * On Fairlead the ledger tells every phase. Docker's events tell the signals, the end of the process and of the operation;
 * Podman's only the ends.
 */
export async function followPhases(
  deps: ClientDeps,
  followed: FollowedOperation,
  onPhase: OnPhase,
): Promise<PhaseWatch> {
  const leaving = new AbortController();
  const opened = Promise.withResolvers<void>();
  const { operationId, ref } = followed;
  const sentMs = deps.clock.nowMs();
  const tell = new InOrder(onPhase);
  const at = (phase: OperationPhase): void => tell.reached({ phase, atMs: deps.clock.nowMs() - sentMs });
  const following =
    operationId === undefined
      ? followEvents(containerEvents(deps, { ref, reconnect: false }, leaving.signal), opened.resolve, at)
      : followLedger(deps, operationId, { signal: leaving.signal, tell });
  // A feed that breaks leaves the rest untold; the operation itself says what is wrong with the engine.
  const over = following.catch(() => {}).finally(opened.resolve);
  if (operationId === undefined) await withinFeedTime(deps, opened.promise);
  at('accepted');
  return {
    stop: () => leaving.abort(),
    finish: async () => {
      await withinFeedTime(deps, over);
      leaving.abort();
      at('done');
    },
  };
}

/** Gives up waiting after a while, silently. */
async function withinFeedTime(deps: ClientDeps, promise: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<void>();
  using _ = whenSpent(deps.clock, Budget.of(FEED_MS, deps.clock.nowMs()), late.resolve);
  await Promise.race([promise, late.promise]);
}

const PHASES: readonly OperationPhase[] = ['accepted', 'signal', 'grace', 'kill', 'confirm', 'done'];

/** Tells each phase once, never one that comes before the last one told. */
class InOrder {
  readonly #onPhase: OnPhase;
  #last = -1;

  constructor(onPhase: OnPhase) {
    this.#onPhase = onPhase;
  }

  reached(reached: PhaseReached): void {
    const rank = PHASES.indexOf(reached.phase);
    if (rank <= this.#last) return;
    this.#last = rank;
    this.#onPhase(reached);
  }

  phasesOf({ Phases }: Operation): void {
    for (const { Phase, AtMs } of Phases) this.reached({ phase: Phase, atMs: AtMs });
  }
}

async function followLedger(
  deps: ClientDeps,
  id: string,
  following: { readonly signal: AbortSignal; readonly tell: InOrder },
): Promise<void> {
  const { signal, tell } = following;
  const asked = { operation: `follow operation ${id}`, params: { id }, query: { phases: true }, signal };
  for (;;) {
    try {
      const answer = await callStream(deps, fairleadEndpoints.waitOperation, asked);
      for await (const operation of jsonFeed<Operation>(answer, asked)) tell.phasesOf(operation);
      return;
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
      await sleep(ASK_AGAIN_MS, undefined, { signal });
    }
  }
}

async function followEvents(
  items: ReturnType<typeof containerEvents>,
  opened: () => void,
  at: (phase: OperationPhase) => void,
): Promise<void> {
  let signals = 0;
  for await (const item of items) {
    if (item.kind === 'open') opened();
    if (item.kind !== 'event') continue;
    if (item.event.Action === 'kill') signals += 1;
    for (const phase of phasesOf(item.event, signals)) at(phase);
    if (item.event.Action === 'stop' || item.event.Action === 'restart' || item.event.Action === 'destroy') return;
  }
}

/** SIGKILL, as engines write it into the event of a kill. */
const KILLS: readonly (string | undefined)[] = ['9', 'KILL', 'SIGKILL'];

function phasesOf({ Action, Actor }: EventMessage, signals: number): readonly OperationPhase[] {
  if (Action === 'die') return ['confirm'];
  if (Action !== 'kill') return [];
  return signals > 1 || KILLS.includes(Actor.Attributes['signal']) ? ['kill'] : ['signal', 'grace'];
}
