import { Budget, EngineError, type ErrorKind, STATUS_BY_KIND } from '@fairlead/protocol';
import * as v from 'valibot';
import { budgetSignal } from '../../lib/budget-signal.ts';
import { wordsOf } from '../../lib/log.ts';

/** The hub answers these requests out of its records; a slow disk included. */
const HUB_ANSWERS_MS = 30_000;
/** Its answers are a few hundred bytes. */
const ANSWER_CHARACTERS_MAX: number = 64 * 1024;

const refusalSchema = v.object({ code: v.string(), message: v.string() });

/**
 * Asks the hub over HTTP.
 *
 * @throws EngineError of the kind of the hub's status, with its words; 'unavailable' when it cannot be reached.
 */
export async function postToHub(
  hub: string,
  { path, body }: { readonly path: string; readonly body: unknown },
  signal: AbortSignal,
): Promise<unknown> {
  const { status, text } = await post(hub, { path, body }, signal);
  const document = parse(text);
  if (status >= 200 && status < 300) return document;
  const refusal = v.safeParse(refusalSchema, document);
  const why = refusal.success ? refusal.output.message : `it answered ${status}`;
  throw new EngineError(kindOf(status), `the hub at ${hub} refused: ${why}`);
}

async function post(
  hub: string,
  { path, body }: { readonly path: string; readonly body: unknown },
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly text: string }> {
  if (!URL.canParse(hub) || !/^https?:$/.test(new URL(hub).protocol)) {
    throw new EngineError(
      'invalid-argument',
      `not the address of a hub: ${hub} (http://HOST:PORT or https://HOST:PORT)`,
    );
  }
  try {
    const answer = await fetch(new URL(path, hub), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
      redirect: 'error',
      signal: budgetSignal(Budget.of(HUB_ANSWERS_MS, performance.now()), signal),
    });
    const text = await answer.text();
    return { status: answer.status, text: text.slice(0, ANSWER_CHARACTERS_MAX) };
  } catch (cause) {
    signal.throwIfAborted();
    throw new EngineError('unavailable', `cannot reach the hub at ${hub}: ${wordsOf(cause)}`, { cause });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Something else listens there, and says something else.
    return undefined;
  }
}

function kindOf(status: number): ErrorKind {
  const entries: readonly (readonly [ErrorKind, number])[] = [
    ['invalid-argument', STATUS_BY_KIND['invalid-argument']],
    ['unauthorized', STATUS_BY_KIND.unauthorized],
    ['forbidden', STATUS_BY_KIND.forbidden],
    ['not-found', STATUS_BY_KIND['not-found']],
    ['conflict', STATUS_BY_KIND.conflict],
  ];
  return entries.find(([, known]) => known === status)?.[0] ?? (status >= 500 ? 'unavailable' : 'invalid-argument');
}
