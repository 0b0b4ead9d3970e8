import { type Client, RequestFailedError } from '@fairlead/client';
import { type ContainerInspect, KILL_CONFIRM_DOCKER_MS } from '@fairlead/protocol';
import { unaskedExecs } from './exec-findings.ts';
import { stopArithmetic } from './grace.ts';
import type { Exchange, Recording, RecordingBuilder } from './recording.ts';
import { STOPPING } from './stop-findings.ts';
import type { ContainerFate, TraceEvent } from './trace-event.ts';

type Look = TraceEvent & { readonly type: 'look' };

export interface FollowUpOptions {
  readonly engine: Client;
  readonly nowMs: () => number;
  readonly tell: (event: TraceEvent) => void;
  /** Longest wait for what becomes of a container; beyond it the tracer says that it stopped looking. */
  readonly limitMs: number;
}

/** How long an inspect of the tracer's own may take. */
const LOOK_WITHIN_MS = 10_000;
const RESTARTED_POLL_MS = 200;

/**
 * Asks the engine, on connections of its own, what became of containers whose stop lost its client, and of execs whose exit code nobody
 * asked for. It changes nothing. Disposing gives up waiting.
 */
export class FollowUps implements AsyncDisposable {
  readonly #options: FollowUpOptions;
  readonly #running = new Set<Promise<void>>();
  readonly #given = new AbortController();

  constructor(options: FollowUpOptions) {
    this.#options = options;
  }

  /** Looks into what a client left behind, if this event is a client leaving. Call it before the connection is forgotten. */
  consider(event: TraceEvent, builder: RecordingBuilder): void {
    if (event.type !== 'end' || event.side !== 'client' || event.how === 'half-close') return;
    for (const exchange of builder.openOn(event.connection)) {
      const { answer, endpoint, askedAtMs } = exchange;
      if (answer !== undefined || askedAtMs === undefined) continue;
      if (STOPPING.has(endpoint.name)) this.#start(() => this.#fate(exchange));
      else if (endpoint.row?.operation !== undefined && endpoint.path.startsWith('/containers/'))
        this.#start(() => this.#lookOnce(exchange));
    }
  }

  /** What is being waited for; for the person who waits as well. */
  get waitingFor(): number {
    return this.#running.size;
  }

  /** Resolves when everything has been found out, or given up. */
  async done(): Promise<void> {
    await Promise.all(this.#running);
  }

  /** Asks once for the exit codes that nobody asked for. */
  async askExitCodes(recording: Recording): Promise<void> {
    for (const { number, endpoint } of unaskedExecs(recording)) {
      const exitCode = await this.#exitCode(endpoint.ref);
      this.#tell({
        type: 'exec-look',
        exchange: number,
        exec: endpoint.ref,
        ...(exitCode === undefined ? {} : { exitCode }),
      });
    }
  }

  /** Gives up what still waits. */
  giveUp(): void {
    this.#given.abort(new Error('the tracer stopped looking'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.giveUp();
    await this.done();
  }

  #start(look: () => Promise<void>): void {
    const running: Promise<void> = look().finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #lookOnce(exchange: Exchange): Promise<void> {
    const ref =
      exchange.endpoint.name === 'container.create'
        ? (exchange.endpoint.query.get('name') ?? '')
        : exchange.endpoint.ref;
    if (ref === '') return;
    this.#look(exchange, { when: 'asked', ref, killConfirmMs: KILL_CONFIRM_DOCKER_MS, fate: await this.#state(ref) });
  }

  async #fate(exchange: Exchange): Promise<void> {
    const { ref } = exchange.endpoint;
    const [first, killConfirmMs] = await Promise.all([this.#state(ref), this.#killConfirm()]);
    this.#look(exchange, { when: 'asked', ref, killConfirmMs, fate: first });
    if (first.known !== 'state') return;
    const isRestart = exchange.endpoint.name === 'container.restart';
    if (!first.running && !isRestart) return;
    const { boundMs } = stopArithmetic(exchange, { fate: first, killConfirmMs });
    const spentMs = this.#options.nowMs() - (exchange.askedAtMs ?? exchange.atMs);
    const leftMs = Math.max(0, Math.min(boundMs - spentMs, this.#options.limitMs));
    const signal = AbortSignal.any([this.#given.signal, AbortSignal.timeout(Math.ceil(leftMs))]);
    const ended = await this.#ended(first.id, isRestart, signal);
    // By its id: a name may belong to another container meanwhile.
    this.#look(exchange, {
      when: ended ? 'ended' : 'bound',
      ref: first.id,
      killConfirmMs,
      fate: await this.#state(first.id),
    });
  }

  /** Waits until it does not run; when it is being restarted, until it runs again. False: not within the signal. */
  async #ended(id: string, isRestart: boolean, signal: AbortSignal): Promise<boolean> {
    try {
      const client = this.#options.engine;
      await client.containers.wait(id, { signal });
      for (let over = !isRestart; !over; over = (await client.containers.inspect(id, { signal })).State.Running)
        await new Promise((resolve) => setTimeout(resolve, RESTARTED_POLL_MS));
      return true;
    } catch {
      // Out of time, removed, or the engine is gone: the look that follows says which.
      return !signal.aborted;
    }
  }

  async #state(ref: string): Promise<ContainerFate> {
    try {
      const client = this.#options.engine;
      return fateOf(await client.containers.inspect(ref, { signal: AbortSignal.timeout(LOOK_WITHIN_MS) }));
    } catch (error) {
      if (error instanceof RequestFailedError && error.kind === 'not-found') return { known: 'gone' };
      return { known: 'nothing', why: error instanceof Error ? error.message : String(error) };
    }
  }

  async #exitCode(exec: string): Promise<number | null | undefined> {
    try {
      const client = this.#options.engine;
      const { Running, ExitCode } = await client.containers.inspectExec(exec, {
        signal: AbortSignal.timeout(LOOK_WITHIN_MS),
      });
      return Running ? null : ExitCode;
    } catch {
      // Removed with its container, or forgotten: then nobody can know any more.
      return undefined;
    }
  }

  async #killConfirm(): Promise<number> {
    try {
      const client = this.#options.engine;
      const signal = AbortSignal.timeout(LOOK_WITHIN_MS);
      if (!(await client.traits(signal)).isFairlead) return KILL_CONFIRM_DOCKER_MS;
      return (await client.system.info({ signal })).KillConfirmMs ?? KILL_CONFIRM_DOCKER_MS;
    } catch {
      // An engine that does not answer is measured like any other.
      return KILL_CONFIRM_DOCKER_MS;
    }
  }

  #look({ number }: Exchange, look: Pick<Look, 'when' | 'ref' | 'killConfirmMs' | 'fate'>): void {
    this.#tell({ type: 'look', exchange: number, ...look });
  }

  #tell(event: Omit<Look, 'atMs'> | Omit<TraceEvent & { readonly type: 'exec-look' }, 'atMs'>): void {
    this.#options.tell({ ...event, atMs: this.#options.nowMs() });
  }
}

function fateOf({ Id, State, Config }: ContainerInspect): ContainerFate {
  return {
    known: 'state',
    id: Id,
    status: State.Status,
    running: State.Running,
    exitCode: State.ExitCode,
    outOfMemory: State.OOMKilled,
    finishedAt: State.FinishedAt,
    stopTimeoutSeconds: Config.StopTimeout ?? null,
  };
}
