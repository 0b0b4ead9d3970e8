import { answerFacts, type BodyFacts, FACT_BYTES_MAX, requestFacts } from './body-facts.ts';
import { type BodyForm, BodyKeeper, type BodyWishes } from './body-keeper.ts';
import { endpointOf, type FoundEndpoint } from '@fairlead/protocol';
import {
  type Framing,
  framingBy,
  type Head,
  type Header,
  headerValues,
  HttpParser,
  type HttpPart,
  type RequestHead,
  type ResponseHead,
} from './http-parser.ts';
import { redactHeaders, redactTarget } from './redact.ts';
import { Meter } from './meter.ts';
import { StreamWatch } from './stream-watch.ts';
import type { Cut, EndKind, Side, TraceEvent } from './trace-event.ts';

/** What a conversation is told besides its bytes. */
export interface ConversationOptions {
  readonly connection: number;
  readonly wishes: BodyWishes;
  readonly nextExchange: () => number;
  readonly tell: (event: TraceEvent) => void;
}

/** Bytes that came before it is known whether they belong to a stream. Clients wait for the answer, or send a little input. */
const HELD_BYTES_MAX: number = 1024 * 1024;
/** Requests without an answer, at most; more than that is not a client. */
const PIPELINED_MAX = 1000;

interface Exchange {
  readonly number: number;
  readonly method: string;
  readonly endpoint: FoundEndpoint;
  readonly headers: readonly Header[];
  readonly request: BodyKeeper;
  readonly answer: BodyKeeper;
  requestFacts: BodyFacts;
  requestDone: boolean;
  status: number | undefined;
  answerHeaders: readonly Header[];
}

/** Understands one connection from the bytes that pass: requests, answers, and the stream it may become. Never throws at strange bytes. */
export class Conversation {
  readonly #options: ConversationOptions;
  readonly #requests: HttpParser;
  readonly #answers: HttpParser;
  readonly #open: Exchange[] = [];
  readonly #moved: Record<Side, Meter> = { client: new Meter(), engine: new Meter() };
  readonly #bytes: Record<Side, number> = { client: 0, engine: 0 };
  readonly #openedAtMs: number;
  #held: Uint8Array[] | undefined;
  #heldBytes = 0;
  #stream: StreamWatch | undefined;
  #atMs: number;

  constructor(options: ConversationOptions, atMs: number) {
    this.#options = options;
    this.#atMs = this.#openedAtMs = atMs;
    this.#requests = new HttpParser('request', ({ headers }) => framingBy(headers, { by: 'none' }));
    this.#answers = new HttpParser('response', (head) => this.#answerFraming(head));
  }

  /** A client sent something. */
  fromClient(bytes: Uint8Array, atMs: number): void {
    this.#atMs = atMs;
    this.#bytes.client += bytes.length;
    this.#readRequests(bytes);
    this.#tellMoved('client', false);
  }

  /** The engine sent something. */
  fromEngine(bytes: Uint8Array, atMs: number): void {
    this.#atMs = atMs;
    this.#bytes.engine += bytes.length;
    for (let at = 0; at < bytes.length;) {
      const { parts, next } = this.#answers.take(bytes, at);
      at = next;
      for (const part of parts) this.#answerPart(part);
    }
    this.#tellMoved('engine', false);
  }

  /** A side ended; a half-close may be followed by a close. */
  ended(side: Side, how: EndKind, atMs: number): void {
    this.#atMs = atMs;
    this.#tellMoved('client', true);
    this.#tellMoved('engine', true);
    const exchange = side === 'client' ? this.#open.at(-1) : this.#open[0];
    const cut = this.#cutBy(side);
    const { connection } = this.#options;
    if (exchange !== undefined && cut !== undefined)
      this.#tell({ type: 'cut', connection, exchange: exchange.number, side, cut });
    const isWhole = cut === undefined && this.#answers.progress.within === 'until-close';
    if (side === 'engine' && how !== 'reset' && isWhole && exchange?.status !== undefined) this.#answerDone(exchange);
    this.#tell({ type: 'end', connection, side, how });
  }

  /** Both sides are gone. */
  closed(atMs: number): void {
    this.#atMs = atMs;
    this.#tellMoved('client', true);
    this.#tellMoved('engine', true);
    const { connection } = this.#options;
    this.#tell({ type: 'closed', connection, clientBytes: this.#bytes.client, engineBytes: this.#bytes.engine });
  }

  #readRequests(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#stream !== undefined) return this.#input(this.#stream, bytes.subarray(at));
      if (this.#awaitsVerdict()) return this.#hold(bytes.subarray(at));
      const { parts, next } = this.#requests.take(bytes, at);
      at = next;
      for (const part of parts) this.#requestPart(part);
    }
  }

  #requestPart(part: HttpPart): void {
    const exchange = this.#open.at(-1);
    switch (part.part) {
      case 'head':
        if (part.head.kind === 'request') this.#asked(part.head);
        return;
      case 'body':
        if (exchange === undefined || exchange.requestDone) return;
        exchange.request.add(part.bytes);
        this.#moved.client.add(part.bytes.length, exchange.number);
        return;
      case 'end':
        if (exchange !== undefined) this.#requestDone(exchange);
        return;
      case 'unparsable':
        return this.#tell({ type: 'unparsable', connection: this.#options.connection, side: 'client', why: part.why });
      default:
        part satisfies never;
    }
  }

  #asked({ method, target, headers }: RequestHead): void {
    const { wishes, connection } = this.#options;
    const keep = Math.max(FACT_BYTES_MAX, wishes.limitBytes);
    const exchange: Exchange = {
      number: this.#options.nextExchange(),
      method,
      endpoint: endpointOf(method, target),
      headers,
      request: new BodyKeeper(keep),
      answer: new BodyKeeper(keep),
      requestFacts: {},
      requestDone: false,
      status: undefined,
      answerHeaders: [],
    };
    this.#open.push(exchange);
    if (this.#open.length > PIPELINED_MAX) this.#open.shift();
    const shown = wishes.secrets
      ? { target, headers }
      : { target: redactTarget(target), headers: redactHeaders(headers) };
    this.#tell({ type: 'request', connection, exchange: exchange.number, method, ...shown });
  }

  #requestDone(exchange: Exchange): void {
    exchange.requestDone = true;
    const { connection, wishes } = this.#options;
    const facts = requestFacts(exchange.endpoint.name, exchange.request.text());
    exchange.requestFacts = facts;
    const body = exchange.request.excerpt(wishes, formOf(exchange.headers));
    const { bytes } = exchange.request;
    this.#moved.client.forget();
    this.#tell({
      type: 'request-end',
      connection,
      exchange: exchange.number,
      bytes,
      facts,
      ...(body === undefined ? {} : { body }),
    });
  }

  #answerFraming(head: Head): Framing {
    const exchange = this.#open[0];
    if (head.kind === 'request' || exchange === undefined)
      return { by: 'unknown', why: 'an answer came that nobody asked for' };
    const { status, headers } = head;
    if (status === 101) return { by: 'close' };
    if (isInterim(status) || status === 204 || status === 304 || exchange.method === 'HEAD') return { by: 'none' };
    return framingBy(headers, { by: 'close' });
  }

  #answerPart(part: HttpPart): void {
    const exchange = this.#open[0];
    switch (part.part) {
      case 'head':
        if (part.head.kind === 'response' && exchange !== undefined) this.#answered(exchange, part.head);
        return;
      case 'body':
        if (exchange === undefined) return;
        exchange.answer.add(part.bytes);
        this.#moved.engine.add(part.bytes.length, exchange.number);
        this.#stream?.fromEngine(part.bytes);
        return;
      case 'end':
        // After an interim answer the answer itself is still to come.
        if (exchange?.status !== undefined) this.#answerDone(exchange);
        return;
      case 'unparsable':
        return this.#tell({ type: 'unparsable', connection: this.#options.connection, side: 'engine', why: part.why });
      default:
        part satisfies never;
    }
  }

  #answered(exchange: Exchange, { status, reason, headers }: ResponseHead): void {
    const { connection, wishes } = this.#options;
    const shown = wishes.secrets ? headers : redactHeaders(headers);
    this.#tell({ type: 'answer', connection, exchange: exchange.number, status, reason, headers: shown });
    if (isInterim(status)) return;
    exchange.status = status;
    exchange.answerHeaders = headers;
    if (this.#becomesStream(exchange, headers)) this.#openStream(exchange);
    this.#release();
  }

  #becomesStream(exchange: Exchange, headers: readonly Header[]): boolean {
    if (exchange.status === 101) return true;
    return exchange.status === 200 && mayHijack(exchange) && framingBy(headers, { by: 'close' }).by === 'close';
  }

  #openStream({ number, endpoint, requestFacts: { tty }, answerHeaders }: Exchange): void {
    const [type = ''] = headerValues(answerHeaders, 'Content-Type');
    const isRaw =
      endpoint.name === 'container.attachWebSocket' || tty === true || !/docker\.(raw|multiplexed)-stream/.test(type);
    const framed = isRaw ? false : type.includes('multiplexed') || undefined;
    this.#stream = new StreamWatch({ framed, detachKeys: endpoint.query.get('detachKeys') ?? '' });
    this.#tell({ type: 'stream', connection: this.#options.connection, exchange: number, framed: framed ?? null });
  }

  #input(stream: StreamWatch, bytes: Uint8Array): void {
    const exchange = this.#open[0];
    if (exchange === undefined || bytes.length === 0) return;
    this.#moved.client.add(bytes.length, exchange.number);
    const { connection } = this.#options;
    if (stream.fromClient(bytes)) this.#tell({ type: 'detach-keys', connection, exchange: exchange.number });
  }

  #answerDone(exchange: Exchange): void {
    const { connection, wishes } = this.#options;
    const { answer, status = 0, endpoint, number, answerHeaders } = exchange;
    const facts = answerFacts(endpoint.name, status, answer.text());
    const body = answer.excerpt(wishes, this.#stream?.framed === true ? 'frames' : formOf(answerHeaders));
    this.#moved.engine.forget();
    this.#tell({
      type: 'answer-end',
      connection,
      exchange: number,
      bytes: answer.bytes,
      facts,
      ...(body === undefined ? {} : { body }),
    });
    this.#open.shift();
  }

  /** Bytes behind a request that asks for the connection: a stream's, or the next request's, when it is refused. */
  #awaitsVerdict(): boolean {
    const last = this.#open.at(-1);
    return last !== undefined && last.requestDone && last.status === undefined && mayHijack(last);
  }

  #hold(bytes: Uint8Array): void {
    this.#held ??= [];
    this.#heldBytes += bytes.length;
    if (this.#heldBytes <= HELD_BYTES_MAX) this.#held.push(bytes.slice());
  }

  #release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    this.#heldBytes = 0;
    for (const bytes of held) this.#readRequests(bytes);
  }

  #cutBy(side: Side): Cut | undefined {
    if (side === 'engine' && this.#stream !== undefined) return this.#stream.cut();
    if (side === 'client' && this.#stream !== undefined) return undefined;
    const { progress } = side === 'client' ? this.#requests : this.#answers;
    if (progress.within === 'head') return { within: 'head' };
    return progress.within === 'body' ? { within: 'body', missingBytes: progress.missingBytes } : undefined;
  }

  #tellMoved(side: Side, all: boolean): void {
    const due = this.#moved[side].due({ atMs: this.#atMs, ageMs: this.#atMs - this.#openedAtMs, all });
    if (due !== undefined) this.#tell({ type: 'moved', connection: this.#options.connection, side, ...due });
  }

  #tell(event: Unstamped<TraceEvent>): void {
    this.#options.tell({ ...event, atMs: this.#atMs });
  }
}

type Unstamped<E> = E extends unknown ? Omit<E, 'atMs'> : never;

function mayHijack({ endpoint, headers }: Exchange): boolean {
  if (endpoint.row?.response.kind === 'hijack' || endpoint.row?.response.kind === 'web-socket') return true;
  return headerValues(headers, 'Upgrade').length > 0;
}

function isInterim(status: number): boolean {
  return status >= 100 && status < 200 && status !== 101;
}

function formOf(headers: readonly Header[]): BodyForm {
  return headerValues(headers, 'Content-Type').some((type) => type.includes('json')) ? 'json' : 'text';
}
