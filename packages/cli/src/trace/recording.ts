import type { BodyFacts } from './body-facts.ts';
import { endpointOf, type FoundEndpoint } from '@fairlead/protocol';
import type { Header } from './http-parser.ts';
import type { BodyExcerpt, Cut, EndKind, Side, TraceEvent } from './trace-event.ts';

type EventOf<T extends TraceEvent['type']> = TraceEvent & { readonly type: T };

/** A side's end. */
export interface End {
  readonly side: Side;
  readonly how: EndKind;
  readonly atMs: number;
}

export interface Connection {
  readonly number: number;
  readonly openedAtMs: number;
  /** When the way to the engine was open as well. */
  readonly connectedAtMs: number | undefined;
  /** The engine could not be reached. */
  readonly failed: { readonly errno: string; readonly message: string } | undefined;
  /** In order. A half-close may be followed by the same side's close. */
  readonly ends: readonly End[];
  readonly closedAtMs: number | undefined;
  readonly clientBytes: number;
  readonly engineBytes: number;
  /** Why it could not be followed any further. */
  readonly unparsable: { readonly side: Side; readonly why: string; readonly atMs: number } | undefined;
}

export interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly Header[];
  readonly atMs: number;
  /** Undefined: it did not come to its end. */
  readonly endAtMs: number | undefined;
  readonly body: BodyExcerpt | undefined;
}

/** One request, and what came of it. */
export interface Exchange {
  readonly number: number;
  readonly connection: number;
  readonly method: string;
  readonly target: string;
  readonly endpoint: FoundEndpoint;
  readonly headers: readonly Header[];
  readonly atMs: number;
  /** When the request was complete; undefined: it never was. */
  readonly askedAtMs: number | undefined;
  readonly requestBytes: number;
  readonly requestBody: BodyExcerpt | undefined;
  readonly answer: Answer | undefined;
  readonly answerBytes: number;
  /** Both bodies' facts together. */
  readonly facts: BodyFacts;
  /** When the connection became a stream, and how much went to the engine on it. */
  readonly stream: { readonly atMs: number; readonly framed: boolean | null; readonly inputBytes: number } | undefined;
  /** The person typed the keys that leave a terminal. */
  readonly detachKeys: boolean;
  readonly cuts: readonly { readonly side: Side; readonly cut: Cut }[];
}

/** A conversation between one command and one engine. */
export interface Recording {
  readonly begin: EventOf<'begin'> | undefined;
  readonly connections: readonly Connection[];
  /** What the verdict is about. */
  readonly exchanges: readonly Exchange[];
  /** Everything, also what the verdict is not about: an exec's create may have gone over another connection. */
  readonly all: readonly Exchange[];
  readonly looks: readonly EventOf<'look'>[];
  readonly execLooks: readonly EventOf<'exec-look'>[];
  /** Undefined while it goes on. */
  readonly finish: EventOf<'finish'> | undefined;
  /** Exchanges that were dropped because there were too many. */
  readonly forgotten: number;
}

/** The most exchanges that are remembered; then the oldest go. A session of a build server has some thousands. */
export const EXCHANGES_MAX = 20_000;

type Draft<T> = { -readonly [K in keyof T]: T[K] };

/** Puts a recording together from its events, as they come. */
export class RecordingBuilder {
  readonly #connections = new Map<number, Draft<Connection>>();
  readonly #exchanges = new Map<number, Draft<Exchange>>();
  readonly #looks: EventOf<'look'>[] = [];
  readonly #execLooks: EventOf<'exec-look'>[] = [];
  #begin: EventOf<'begin'> | undefined;
  #finish: EventOf<'finish'> | undefined;
  #forgotten = 0;

  /** What is known so far; with `connection`, the part that is about it. */
  recording(connection?: number): Recording {
    const all = [...this.#exchanges.values()];
    const connections = [...this.#connections.values()];
    return {
      begin: this.#begin,
      connections: connection === undefined ? connections : connections.filter(({ number }) => number === connection),
      exchanges: connection === undefined ? all : all.filter((exchange) => exchange.connection === connection),
      all,
      looks: this.#looks,
      execLooks: this.#execLooks,
      finish: this.#finish,
      forgotten: this.#forgotten,
    };
  }

  connection(number: number): Connection | undefined {
    return this.#connections.get(number);
  }

  exchange(number: number): Exchange | undefined {
    return this.#exchanges.get(number);
  }

  /** The exchanges of a connection that have no complete answer. */
  openOn(connection: number): readonly Exchange[] {
    return [...this.#exchanges.values()].filter(
      (one) => one.connection === connection && one.answer?.endAtMs === undefined,
    );
  }

  add(event: TraceEvent): void {
    switch (event.type) {
      case 'begin':
        this.#begin = event;
        return;
      case 'finish':
        this.#finish = event;
        return;
      case 'look':
        this.#looks.push(event);
        return;
      case 'exec-look':
        this.#execLooks.push(event);
        return;
      case 'connect':
        return this.#opened(event);
      case 'connected':
      case 'connect-failed':
      case 'unparsable':
      case 'end':
      case 'closed':
        return this.#onConnection(event);
      case 'request':
        return this.#asked(event);
      default:
        return this.#onExchange(event);
    }
  }

  #opened({ connection, atMs }: EventOf<'connect'>): void {
    this.#connections.set(connection, {
      number: connection,
      openedAtMs: atMs,
      connectedAtMs: undefined,
      failed: undefined,
      ends: [],
      closedAtMs: undefined,
      clientBytes: 0,
      engineBytes: 0,
      unparsable: undefined,
    });
  }

  #onConnection(event: EventOf<'connected' | 'connect-failed' | 'unparsable' | 'end' | 'closed'>): void {
    const connection = this.#connections.get(event.connection);
    if (connection === undefined) return;
    switch (event.type) {
      case 'connected':
        connection.connectedAtMs = event.atMs;
        return;
      case 'connect-failed':
        connection.failed = { errno: event.errno, message: event.message };
        return;
      case 'unparsable':
        connection.unparsable ??= { side: event.side, why: event.why, atMs: event.atMs };
        return;
      case 'end':
        connection.ends = [...connection.ends, { side: event.side, how: event.how, atMs: event.atMs }];
        return;
      case 'closed':
        connection.closedAtMs = event.atMs;
        connection.clientBytes = event.clientBytes;
        connection.engineBytes = event.engineBytes;
        return;
      default:
        event satisfies never;
    }
  }

  #asked({ exchange, connection, method, target, headers, atMs }: EventOf<'request'>): void {
    this.#exchanges.set(exchange, {
      number: exchange,
      connection,
      method,
      target,
      endpoint: endpointOf(method, target),
      headers,
      atMs,
      askedAtMs: undefined,
      requestBytes: 0,
      requestBody: undefined,
      answer: undefined,
      answerBytes: 0,
      facts: {},
      stream: undefined,
      detachKeys: false,
      cuts: [],
    });
    if (this.#exchanges.size > EXCHANGES_MAX) this.#forgetOldest();
  }

  #onExchange(
    event: EventOf<'request-end' | 'answer' | 'answer-end' | 'stream' | 'moved' | 'detach-keys' | 'cut'>,
  ): void {
    const exchange = this.#exchanges.get(event.exchange);
    if (exchange === undefined) return;
    switch (event.type) {
      case 'request-end':
        exchange.askedAtMs = event.atMs;
        exchange.requestBytes = event.bytes;
        exchange.requestBody = event.body;
        exchange.facts = { ...exchange.facts, ...event.facts };
        return;
      case 'answer':
        // An interim answer is none.
        if (event.status >= 200 || event.status === 101) exchange.answer = answerOf(event);
        return;
      case 'answer-end':
        exchange.answerBytes = event.bytes;
        exchange.facts = { ...exchange.facts, ...event.facts };
        if (exchange.answer !== undefined)
          exchange.answer = { ...exchange.answer, endAtMs: event.atMs, body: event.body };
        return;
      case 'stream':
        exchange.stream = { atMs: event.atMs, framed: event.framed, inputBytes: 0 };
        return;
      case 'moved':
        return moved(exchange, event);
      case 'detach-keys':
        exchange.detachKeys = true;
        return;
      case 'cut':
        exchange.cuts = [...exchange.cuts, { side: event.side, cut: event.cut }];
        return;
      default:
        event satisfies never;
    }
  }

  #forgetOldest(): void {
    const [oldest = 0] = this.#exchanges.keys();
    this.#exchanges.delete(oldest);
    this.#forgotten += 1;
    for (const { number, closedAtMs } of this.#connections.values()) {
      if (closedAtMs === undefined || this.#connections.size <= EXCHANGES_MAX) return;
      this.#connections.delete(number);
    }
  }
}

/** The recording of all these events. */
export function recordingOf(events: Iterable<TraceEvent>): Recording {
  const builder = new RecordingBuilder();
  for (const event of events) builder.add(event);
  return builder.recording();
}

function answerOf({ status, reason, headers, atMs }: EventOf<'answer'>): Answer {
  return { status, reason, headers, atMs, endAtMs: undefined, body: undefined };
}

function moved(exchange: Draft<Exchange>, { side, bytes }: EventOf<'moved'>): void {
  if (side === 'engine') exchange.answerBytes += bytes;
  else if (exchange.stream === undefined) exchange.requestBytes += bytes;
  else exchange.stream = { ...exchange.stream, inputBytes: exchange.stream.inputBytes + bytes };
}
