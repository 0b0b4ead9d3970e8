import { ellipsis } from '../format/human.ts';
import { headerValues } from './http-parser.ts';
import { type Exchange, RecordingBuilder } from './recording.ts';
import type { EndKind, TraceEvent } from './trace-event.ts';
import { exactSeconds, requestText, shortRef, shortTarget, sizeText } from './words.ts';

type EventOf<T extends TraceEvent['type']> = TraceEvent & { readonly type: T };

/** A body that came within this of its head is not worth a line of its own. */
const AT_ONCE_MS = 100;
/** What a side does, and what that means. */
const ENDINGS: Readonly<Record<EndKind, readonly [does: string, means: string]>> = {
  'half-close': ['half-closes', ' (FIN): it sends no more, and still reads'],
  fin: ['sends FIN', ': it sends no more'],
  close: ['closes the connection', ''],
  reset: ['resets the connection', ' (RST)'],
};

/** Makes the lines of a timeline from events, in their order: to be printed at the end, or as they come. */
export class Timeline {
  readonly #builder = new RecordingBuilder();
  /** Connections on which somebody has ended. */
  readonly #ended = new Set<number>();

  /** The lines that an event adds, without line ends; none when it says nothing new to a person. */
  add(event: TraceEvent): readonly string[] {
    this.#builder.add(event);
    return this.#texts(event).map((text) => `${stamp(event.atMs)}  ${text}`);
  }

  #texts(event: TraceEvent): readonly string[] {
    switch (event.type) {
      case 'begin':
        return [
          `tracing ${event.command.length === 0 ? 'whoever connects' : commandText(event.command)}, with the engine at ${event.engine}`,
        ];
      case 'connect':
        return [on(event, '   client connects')];
      case 'connected':
        return this.#connected(event);
      case 'connect-failed':
        return [on(event, ` ✗ ${event.message} (${event.errno})`)];
      case 'request':
        return [on(event, ` → ${event.method} ${shortTarget(event.target)}${bodySize(event)}`)];
      case 'request-end':
        return [...this.#requestEnd(event), ...excerpt(event)];
      case 'answer':
        return [on(event, ` ← ${event.status} ${event.reason}`.trimEnd() + this.#after(event) + bodySize(event))];
      case 'answer-end':
        return [...this.#answerEnd(event), ...excerpt(event)];
      case 'stream':
        return [on(event, `   the connection is a stream now${event.framed === true ? ', in frames' : ''}`)];
      case 'moved':
        return [on(event, ` ${event.side === 'client' ? '→' : '←'} ${sizeText(event.bytes)}`)];
      case 'detach-keys':
        return [on(event, ' → the detach keys')];
      case 'cut':
        return [on(event, ` ✗ the ${event.side} ends in the middle of a ${event.cut.within}`)];
      case 'unparsable':
        return [on(event, ` ? not HTTP/1.1 any more (from the ${event.side}): ${event.why}; passed through unread`)];
      case 'end':
        return [on(event, ` ${event.side === 'client' ? '→' : '←'} ${this.#ending(event)}`)];
      case 'closed':
        return [
          on(
            event,
            `   closed; ${sizeText(event.clientBytes)} from the client, ${sizeText(event.engineBytes)} from the engine`,
          ),
        ];
      case 'look':
        return [`tracer: ${lookText(event)}`];
      case 'exec-look':
        return [
          `tracer: exec ${shortRef(event.exec)}: ${event.exitCode === undefined ? 'the engine does not know it' : `exit code ${String(event.exitCode)}`}`,
        ];
      case 'finish':
        return event.exitCode === null ? ['the trace ends'] : [`the command ended with ${event.exitCode}`];
      default:
        return event satisfies never;
    }
  }

  #connected({ connection, atMs }: EventOf<'connected'>): readonly string[] {
    const tookMs = atMs - (this.#builder.connection(connection)?.openedAtMs ?? atMs);
    return tookMs < AT_ONCE_MS
      ? []
      : [on({ connection }, `   the engine is connected to, after ${exactSeconds(tookMs)}`)];
  }

  #requestEnd({ exchange, atMs, bytes, ...event }: EventOf<'request-end'>): readonly string[] {
    const asked = this.#builder.exchange(exchange);
    if (asked === undefined || atMs - asked.atMs < AT_ONCE_MS) return [];
    return [on(event, ` → the body is complete: ${sizeText(bytes)} in ${exactSeconds(atMs - asked.atMs)}`)];
  }

  #answerEnd({ exchange, atMs, bytes, ...event }: EventOf<'answer-end'>): readonly string[] {
    const { answer, stream } = this.#builder.exchange(exchange) ?? {};
    if (answer === undefined || stream !== undefined || atMs - answer.atMs < AT_ONCE_MS) return [];
    return [
      on(event, ` ← the body is complete: ${sizeText(bytes)}, ${exactSeconds(atMs - answer.atMs)} after its head`),
    ];
  }

  #after({ exchange, atMs }: EventOf<'answer'>): string {
    const asked = this.#builder.exchange(exchange);
    return asked === undefined ? '' : `  after ${exactSeconds(atMs - (asked.askedAtMs ?? asked.atMs))}`;
  }

  #ending({ connection, side, how, atMs }: EventOf<'end'>): string {
    const isFirst = !this.#ended.has(connection);
    this.#ended.add(connection);
    const waiting =
      how === 'half-close' ? undefined : this.#builder.openOn(connection).find(({ answer }) => answer === undefined);
    const [does, means] = ENDINGS[how];
    return `the ${side} ${does}${isFirst ? ' first' : ''}${means}${waiting === undefined ? '' : unanswered(waiting, atMs)}`;
  }
}

function unanswered(exchange: Exchange, atMs: number): string {
  return `, ${exactSeconds(atMs - (exchange.askedAtMs ?? exchange.atMs))} after ${requestText(exchange)}, which has no answer`;
}

/** Longer words are cut: a script on the command line is not what the report is about. */
const WORD_CHARS_MAX = 60;

function commandText(words: readonly string[]): string {
  return words
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(ellipsis(word, WORD_CHARS_MAX))))
    .join(' ');
}

function on({ connection }: { readonly connection: number }, text: string): string {
  return `#${connection} ${text}`;
}

function stamp(atMs: number): string {
  return (atMs / 1000).toFixed(3).padStart(8);
}

function bodySize({ headers }: { readonly headers: EventOf<'request'>['headers'] }): string {
  const [length] = headerValues(headers, 'Content-Length');
  if (length !== undefined) return length === '0' ? '' : `  (${sizeText(Number(length))})`;
  return headerValues(headers, 'Transfer-Encoding').length > 0 ? '  (chunked)' : '';
}

function excerpt({ body }: EventOf<'request-end' | 'answer-end'>): readonly string[] {
  if (body === undefined) return [];
  const lines = body.text.split('\n').filter((line, at, all) => line !== '' || at < all.length - 1);
  return [
    ...lines.map((line) => `     | ${printable(line)}`),
    ...(body.cut ? [`     | … (${sizeText(body.bytes)} in all)`] : []),
  ];
}

/** What a terminal would take for a command is not passed on to it. */
function printable(line: string): string {
  return line.replace(/[\0-\x08\x0b-\x1f\x7f]/g, (control) => (control === '\r' ? '' : '�'));
}

function lookText({ when, ref, fate }: EventOf<'look'>): string {
  const asked = when === 'ended' ? `waited for ${shortRef(ref)}` : `inspects ${shortRef(ref)}`;
  switch (fate.known) {
    case 'state':
      return `${asked}: ${fate.status}${fate.running ? '' : `, exit code ${fate.exitCode}`}`;
    case 'gone':
      return `${asked}: it is gone`;
    case 'nothing':
      return `${asked}: ${fate.why}`;
    default:
      return fate satisfies never;
  }
}
