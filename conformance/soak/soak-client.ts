import { request, type ClientRequest } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { RawConnection } from '../raw-http.ts';
import type { Random } from './random.ts';

/** No request may take longer: the longest wait that anybody asks for is a stop of one second. */
const ANSWER_WITHIN_MS = 30_000;
/** How long a client that hangs up may have had patience before. */
const PATIENCE_MS_MAX = 150;

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** What to send besides method and path. */
export interface Question {
  readonly json?: unknown;
  readonly body?: Uint8Array;
}

/** How a request ended that nobody hung up on, and how one did. */
export type Outcome = Answer | 'left' | { readonly failed: string };

/**
 * Asks over a connection of its own, to the end of the answer.
 * @param leaveAfterMs hang up then, whatever has come.
 */
export async function askOrLeave(
  socketPath: string,
  target: string,
  { question = {}, leaveAfterMs }: { readonly question?: Question; readonly leaveAfterMs?: number | undefined } = {},
): Promise<Outcome> {
  const [method = 'GET', path = '/'] = target.split(' ');
  const body = question.json === undefined ? question.body : JSON.stringify(question.json);
  const headers = question.json === undefined ? {} : { 'Content-Type': 'application/json' };
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const asked: ClientRequest = request({ socketPath, method, path, headers, agent: false }, (answer) => {
    buffer(answer).then(
      (bytes) => resolve({ status: answer.statusCode ?? 0, body: bytes.toString() }),
      (error: unknown) => resolve({ failed: `cut off: ${String(error)}` }),
    );
  });
  asked.on('error', (error) => resolve({ failed: String(error) }));
  asked.end(body);
  const late = setTimeout(() => resolve({ failed: `no answer within ${ANSWER_WITHIN_MS} ms` }), ANSWER_WITHIN_MS);
  const leave = leaveAfterMs === undefined ? undefined : setTimeout(() => resolve('left'), leaveAfterMs);
  const outcome = await promise;
  clearTimeout(late);
  clearTimeout(leave);
  asked.destroy();
  return outcome;
}

/** A hijacked session: sends something, ends its input or not, reads some or all, and goes. @returns the status. */
export async function hijackForAWhile(
  socketPath: string,
  session: { readonly target: string; readonly json: unknown },
  random: Random,
): Promise<Outcome> {
  try {
    using connection = await RawConnection.open(socketPath);
    await connection.upgrade(session.target, session.json);
    if (random.chance(0.1)) return 'left';
    const { status, lines } = await connection.head();
    if (status >= 400) return { status, body: String((await connection.read()) ?? lines) };
    if (random.chance(0.5)) await connection.send('echo typed\n');
    if (random.chance(0.4)) connection.halfClose();
    const until = performance.now() + random.below(PATIENCE_MS_MAX);
    const readAll = random.chance(0.3);
    while (performance.now() < until) {
      const chunk = await Promise.race([connection.read(), sleep(PATIENCE_MS_MAX, undefined)]);
      if (chunk === undefined) break;
      if (!readAll && random.chance(0.3)) break;
    }
    return { status, body: '' };
  } catch (error) {
    return { failed: String(error) };
  }
}

/** Milliseconds after which this client has no patience any more; undefined: it has. */
export function patience(random: Random): number | undefined {
  return random.chance(0.2) ? random.below(PATIENCE_MS_MAX) : undefined;
}
