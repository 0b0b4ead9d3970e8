import { type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Budget, EngineError, type ErrorKind, STATUS_BY_KIND } from '@fairlead/protocol';
import * as v from 'valibot';
import { budgetSignal } from '../../lib/budget-signal.ts';
import { wordsOf } from '../../lib/log.ts';

/** Where a hub is, and which certificates to trust there; absent: what the system trusts. */
export interface HubAddress {
  readonly url: string;
  /** PEM. */
  readonly ca?: string | undefined;
}

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
  hub: HubAddress,
  { path, body }: { readonly path: string; readonly body: unknown },
  signal: AbortSignal,
): Promise<unknown> {
  const { status, text } = await post(hub, { path, body }, signal);
  const document = parse(text);
  if (status >= 200 && status < 300) return document;
  const refusal = v.safeParse(refusalSchema, document);
  const why = refusal.success ? refusal.output.message : `it answered ${status}`;
  throw new EngineError(kindOf(status), `the hub at ${hub.url} refused: ${why}`);
}

async function post(
  { url, ca }: HubAddress,
  { path, body }: { readonly path: string; readonly body: unknown },
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly text: string }> {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new EngineError(
      'invalid-argument',
      `not the address of a hub: ${url} (http://HOST:PORT or https://HOST:PORT)`,
    );
  }
  const limited = budgetSignal(Budget.of(HUB_ANSWERS_MS, performance.now()), signal);
  const to = new URL(path, url);
  const request = to.protocol === 'https:' ? httpsRequest : httpRequest;
  const headers = { 'Content-Type': 'application/json' };
  try {
    const sent = request(to, { method: 'POST', headers, agent: false, ca, signal: limited });
    sent.end(JSON.stringify(body));
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      sent.once('response', resolve).once('error', reject);
    });
    let text = '';
    for await (const chunk of answer.setEncoding('utf8')) {
      text += String(chunk);
      if (text.length > ANSWER_CHARACTERS_MAX) break;
    }
    return { status: answer.statusCode ?? 0, text };
  } catch (cause) {
    signal.throwIfAborted();
    throw new EngineError('unavailable', `cannot reach the hub at ${url}: ${wordsOf(cause)}`, { cause });
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
