import { DetachKeyMatcher } from '@fairlead/protocol';
import type { ConsoleConnection } from '../core/ports/console.ts';
import type { TakenConnection } from './exchange.ts';
import { OutputWriter, type OutputFraming } from './output-writer.ts';
import type { SessionEnding, SessionReply } from './route.ts';

/** What the session is to do with the connection. */
export interface PumpPlan extends Pick<SessionReply, 'streams' | 'detachKeys' | 'onHalfClose'> {
  readonly framing: OutputFraming;
}

/** A connection as a session uses it: its input is what the client means, whatever the wire wraps around it. */
export interface PumpedConnection extends Pick<TakenConnection, 'socket' | 'draining'> {
  readonly input: PumpedInput;
}

/** What a client sends to a session. */
export interface PumpedInput {
  /** The next bytes; undefined when no more come. Not reentrant. */
  read(): Promise<Uint8Array | undefined>;
}

/**
 * How long a client that is gone may keep the session's end of input waiting, in milliseconds. Ours: a process that does not read its
 * input must not hold the connection's resources.
 */
const END_INPUT_MS = 1_000;

/**
 * Pumps between a connection and a session until the first thing that ends it, then disposes the session.
 *
 * Each direction waits for the other side to take what it was given: a client that stops reading stalls this session alone.
 * The connection is left to the caller, with its input being thrown away until it closes. Never rejects.
 */
export async function pumpSession(
  connection: PumpedConnection,
  session: ConsoleConnection,
  plan: PumpPlan,
): Promise<SessionEnding> {
  const { socket, draining } = connection;
  const race = new EndingRace();
  const onClose = (): void => race.end({ by: 'client-gone' });
  const onDraining = (): void => race.end({ by: 'draining' });
  if (socket.destroyed) onClose();
  if (draining.aborted) onDraining();
  if (!plan.streams.stdin && !hasOutput(plan)) race.end({ by: 'input-ended' });
  socket.once('close', onClose);
  draining.addEventListener('abort', onDraining, { once: true });
  // Neither is awaited: an output that is silent and a client that is idle would hold up the ending.
  void pumpOutput(connection, session, { plan, race });
  void pumpInput(connection, session, { plan, race });
  const ending = await race.ended;
  socket.off('close', onClose);
  draining.removeEventListener('abort', onDraining);
  if (ending.by === 'client-gone' && plan.streams.stdin && plan.onHalfClose === 'end-input') await endInput(session);
  return await dispose(session, ending);
}

/** When several things can end a session, the first one names the reason. */
class EndingRace {
  #ending: SessionEnding | undefined;
  readonly #settled = Promise.withResolvers<SessionEnding>();

  get ended(): Promise<SessionEnding> {
    return this.#settled.promise;
  }

  get isOver(): boolean {
    return this.#ending !== undefined;
  }

  end(ending: SessionEnding): void {
    this.#ending ??= ending;
    this.#settled.resolve(this.#ending);
  }
}

interface Pumping {
  readonly plan: PumpPlan;
  readonly race: EndingRace;
}

function hasOutput({ streams }: PumpPlan): boolean {
  return streams.stdout || streams.stderr;
}

async function pumpOutput(
  { socket }: PumpedConnection,
  session: ConsoleConnection,
  { plan, race }: Pumping,
): Promise<void> {
  const writer = new OutputWriter(socket, plan.framing);
  try {
    for await (const chunk of session.output) {
      if (race.isOver) return;
      if (plan.streams[chunk.stream]) writer.write(chunk);
      const room = writer.room();
      if (room !== undefined) await room;
    }
    race.end({ by: 'output-ended' });
  } catch (error) {
    race.end({ by: 'failed', error });
  }
}

async function pumpInput(
  { input }: PumpedConnection,
  session: ConsoleConnection,
  { plan, race }: Pumping,
): Promise<void> {
  const keys = new DetachKeyMatcher(plan.detachKeys ?? new Uint8Array());
  try {
    for (let bytes = await input.read(); bytes !== undefined; bytes = await input.read()) {
      // Read on, so that a connection with unread bytes is not reset when it closes.
      if (race.isOver || !plan.streams.stdin) continue;
      const { pass, detached } = keys.push(bytes);
      for (const part of pass) await session.write(part);
      if (detached) race.end({ by: 'detach-keys' });
    }
    if (!race.isOver) await onHalfClose(session, { plan, race }, keys.end());
  } catch (error) {
    race.end({ by: 'failed', error });
  }
}

async function onHalfClose(session: ConsoleConnection, { plan, race }: Pumping, withheld: Uint8Array): Promise<void> {
  switch (plan.onHalfClose) {
    case 'ignore':
      return;
    case 'close-stream':
      return race.end({ by: 'input-ended' });
    case 'end-input':
      if (withheld.length > 0) await session.write(withheld);
      await session.endInput();
      // Nothing is left to be said in either direction; the process goes on.
      if (!hasOutput(plan)) race.end({ by: 'input-ended' });
      return;
    default:
      return plan.onHalfClose satisfies never;
  }
}

/** Resolves in any case: disposing the session follows, and that is where a failure would show. */
async function endInput(session: ConsoleConnection): Promise<void> {
  const settled = Promise.withResolvers<void>();
  const timer = setTimeout(settled.resolve, END_INPUT_MS);
  session.endInput().then(settled.resolve, () => settled.resolve());
  await settled.promise;
  clearTimeout(timer);
}

async function dispose(session: ConsoleConnection, ending: SessionEnding): Promise<SessionEnding> {
  try {
    await session[Symbol.asyncDispose]();
    return ending;
  } catch (error) {
    return ending.by === 'failed' ? ending : { by: 'failed', error };
  }
}
