import type { Connection, End, Exchange, Recording } from './recording.ts';

/** How an exchange ended: by its whole answer, by the side that went away first, or not at all. */
export type Outcome =
  | { readonly by: 'answer' }
  | { readonly by: 'nobody' }
  | ({ readonly by: 'client' | 'engine' } & End);

/** Who ended an exchange. A client's half-close does not: it may still read. */
export function outcomeOf(exchange: Exchange, connection: Connection | undefined): Outcome {
  const left = leftForGood(exchange, connection);
  if (left !== undefined) return { by: 'client', ...left };
  if (exchange.answer?.endAtMs !== undefined) return { by: 'answer' };
  const end = connection?.ends.find((one) => one.atMs >= exchange.atMs && endsExchange(one, exchange));
  return end === undefined ? { by: 'nobody' } : { by: end.side, ...end };
}

/** A client that was gone before the first byte of the answer, whether an answer came or not. */
export function leftBeforeAnswer(exchange: Exchange, connection: Connection | undefined): End | undefined {
  const outcome = outcomeOf(exchange, connection);
  if (outcome.by !== 'client' || (exchange.answer !== undefined && exchange.answer.atMs < outcome.atMs))
    return undefined;
  return outcome;
}

/** The connection an exchange went over. */
export function connectionOf(recording: Recording, { connection }: Exchange): Connection | undefined {
  return recording.connections.find(({ number }) => number === connection);
}

/** 128 + SIGINT: what clients end with that a person broke off, also one that a shell started. */
const BROKEN_OFF_EXIT_CODE = 130;

/** A client that a person or a signal ended did not give up: whoever typed Ctrl-C knows. */
export function wasInterrupted({ finish }: Recording): boolean {
  return finish?.interrupted === true || finish?.exitCode === BROKEN_OFF_EXIT_CODE;
}

/** Over TCP a client that is gone first sends a FIN, and resets the connection when an answer comes to it all the same. */
function leftForGood({ answer, atMs, stream }: Exchange, connection: Connection | undefined): End | undefined {
  const ofClient = connection?.ends.filter((end) => end.side === 'client' && end.atMs >= atMs) ?? [];
  const fin = ofClient.find(({ how }) => how === 'fin');
  const reset = ofClient.find(({ how }) => how === 'reset');
  if (answer === undefined || stream !== undefined || fin === undefined || reset === undefined) return undefined;
  return fin.atMs < answer.atMs ? fin : undefined;
}

function endsExchange({ side, how }: End, { stream }: Exchange): boolean {
  if (side === 'engine') return true;
  // Over TCP a FIN is all that a client sends when it goes; on a stream it ends the input.
  return how === 'close' || how === 'reset' || (how === 'fin' && stream === undefined);
}
