import { LineReader } from './line-reader.ts';

/** A header as it came: the name in its own letters. */
export type Header = readonly [name: string, value: string];

export interface RequestHead {
  readonly kind: 'request';
  readonly method: string;
  readonly target: string;
  readonly headers: readonly Header[];
}

export interface ResponseHead {
  readonly kind: 'response';
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly Header[];
}

export type Head = RequestHead | ResponseHead;

/** What a parser found. `unparsable` comes once, and everything after it is `body`. */
export type HttpPart =
  | { readonly part: 'head'; readonly head: Head }
  | { readonly part: 'body'; readonly bytes: Uint8Array }
  | { readonly part: 'end' }
  | { readonly part: 'unparsable'; readonly why: string };

/** How a body ends. */
export type Framing =
  | { readonly by: 'none' }
  | { readonly by: 'length'; readonly bytes: number }
  | { readonly by: 'chunks' }
  | { readonly by: 'close' }
  | { readonly by: 'unknown'; readonly why: string };

/** How far into a message the bytes went. `missingBytes`: how many are to come at least, where that is known. */
export type Progress =
  | { readonly within: 'nothing' }
  | { readonly within: 'head' }
  | { readonly within: 'body'; readonly missingBytes: number | undefined }
  | { readonly within: 'until-close' }
  | { readonly within: 'unparsable' };

/** Longest head, trailers as well. Source: Go's net/http, DefaultMaxHeaderBytes: what dockerd takes. */
export const HEAD_BYTES_MAX: number = 1024 * 1024;
/** Longest line before a chunk. Source: Go's net/http/internal, maxLineLength. */
export const CHUNK_LINE_BYTES_MAX = 4096;
/** Hexadecimal digits of a chunk's size that a number still holds. */
const CHUNK_SIZE_DIGITS_MAX = 12;

type State =
  | { readonly at: 'start' }
  | { readonly at: 'fields'; readonly start: Start; readonly headers: Header[] }
  | { readonly at: 'length'; readonly left: number }
  | { readonly at: 'chunk-size' }
  | { readonly at: 'chunk'; readonly left: number }
  | { readonly at: 'chunk-end' }
  | { readonly at: 'trailers' }
  | { readonly at: 'close' }
  | { readonly at: 'unparsable' };

type Start = Omit<RequestHead, 'headers'> | Omit<ResponseHead, 'headers'>;

const REQUEST_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+) HTTP\/1\.[01]$/;
const STATUS_LINE = /^HTTP\/1\.[01] ([1-9][0-9]{2})(?: (.*))?$/;
const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/;

/**
 * Listens to one direction of an HTTP/1.1 connection, however its bytes were cut. It never throws: what it does not understand it
 * says once, and lets everything after it pass.
 */
export class HttpParser {
  readonly #side: Head['kind'];
  readonly #framingOf: (head: Head) => Framing;
  readonly #lines = new LineReader();
  #state: State = { at: 'start' };
  #headBytes = 0;

  constructor(side: Head['kind'], framingOf: (head: Head) => Framing) {
    this.#side = side;
    this.#framingOf = framingOf;
  }

  get progress(): Progress {
    const state = this.#state;
    switch (state.at) {
      case 'start':
        return { within: this.#lines.pendingBytes > 0 ? 'head' : 'nothing' };
      case 'fields':
        return { within: 'head' };
      case 'length':
        return { within: 'body', missingBytes: state.left };
      case 'chunk':
      case 'chunk-size':
      case 'chunk-end':
      case 'trailers':
        return { within: 'body', missingBytes: state.at === 'chunk' ? state.left : undefined };
      case 'close':
        return { within: 'until-close' };
      case 'unparsable':
        return { within: 'unparsable' };
      default:
        return state satisfies never;
    }
  }

  /** Reads on from `from`, to the end of the next part at most. `next` is where to go on. */
  take(bytes: Uint8Array, from: number): { readonly parts: readonly HttpPart[]; readonly next: number } {
    const state = this.#state;
    switch (state.at) {
      case 'length':
        return this.#counted(bytes, from, { left: state.left, next: 'start' });
      case 'chunk':
        return this.#counted(bytes, from, { left: state.left, next: 'chunk-end' });
      case 'close':
      case 'unparsable':
        return { parts: [{ part: 'body', bytes: bytes.subarray(from) }], next: bytes.length };
      default:
        return this.#line(state, bytes, from);
    }
  }

  #counted(
    bytes: Uint8Array,
    from: number,
    body: { readonly left: number; readonly next: 'start' | 'chunk-end' },
  ): { readonly parts: readonly HttpPart[]; readonly next: number } {
    const next = Math.min(bytes.length, from + body.left);
    const left = body.left - (next - from);
    const part: HttpPart = { part: 'body', bytes: bytes.subarray(from, next) };
    if (left > 0) {
      this.#state = { at: body.next === 'start' ? 'length' : 'chunk', left };
      return { parts: [part], next };
    }
    if (body.next === 'chunk-end') {
      this.#state = { at: 'chunk-end' };
      return { parts: [part], next };
    }
    return { parts: [part, ...this.#finish()], next };
  }

  #line(state: State, bytes: Uint8Array, from: number): { readonly parts: readonly HttpPart[]; readonly next: number } {
    const strange = state.at === 'start' && this.#lines.pendingBytes === 0 ? strangeStart(bytes[from] ?? 0) : undefined;
    if (strange !== undefined) return { parts: this.#giveUp(strange), next: from };
    const { line, next } = this.#lines.read(bytes, from);
    const inHead = state.at === 'start' || state.at === 'fields' || state.at === 'trailers';
    if (inHead) this.#headBytes += next - from;
    const limit = inHead ? HEAD_BYTES_MAX - this.#headBytes : CHUNK_LINE_BYTES_MAX - this.#lines.pendingBytes;
    if (limit < 0)
      return { parts: this.#giveUp(inHead ? 'a head is too long' : 'the line before a chunk is too long'), next };
    return { parts: line === undefined ? [] : this.#read(state, line), next };
  }

  #read(state: State, line: string): readonly HttpPart[] {
    switch (state.at) {
      case 'start':
        return line === '' ? [] : this.#startLine(line);
      case 'fields':
        return line === '' ? this.#headDone(state) : this.#field(state, line);
      case 'chunk-size':
        return this.#chunkSize(line);
      case 'chunk-end':
        if (line !== '') return this.#giveUp('a chunk is longer than it said');
        this.#state = { at: 'chunk-size' };
        return [];
      case 'trailers':
        return line === '' ? this.#finish() : [];
      case 'length':
      case 'chunk':
      case 'close':
      case 'unparsable':
        return [];
      default:
        return state satisfies never;
    }
  }

  #startLine(line: string): readonly HttpPart[] {
    const request = this.#side === 'request' ? REQUEST_LINE.exec(line) : null;
    const answer = this.#side === 'response' ? STATUS_LINE.exec(line) : null;
    if (request !== null) {
      const [, method = '', target = ''] = request;
      this.#state = { at: 'fields', start: { kind: 'request', method, target }, headers: [] };
    } else if (answer !== null) {
      const [, status, reason = ''] = answer;
      this.#state = { at: 'fields', start: { kind: 'response', status: Number(status), reason }, headers: [] };
    } else return this.#giveUp(`no ${this.#side} begins with ${JSON.stringify(line.slice(0, 60))}`);
    return [];
  }

  #field(state: State & { readonly at: 'fields' }, line: string): readonly HttpPart[] {
    const last = state.headers.at(-1);
    // A folded line belongs to the one before it. Source: RFC 9112, 5.2.
    if (/^[ \t]/.test(line) && last !== undefined) {
      state.headers[state.headers.length - 1] = [last[0], `${last[1]} ${line.trim()}`.trim()];
      return [];
    }
    const [, name, value = ''] = FIELD.exec(line) ?? [];
    if (name === undefined) return this.#giveUp(`no header looks like ${JSON.stringify(line.slice(0, 60))}`);
    state.headers.push([name, value]);
    return [];
  }

  #headDone({ start, headers }: State & { readonly at: 'fields' }): readonly HttpPart[] {
    const head: Head = { ...start, headers };
    const found: HttpPart = { part: 'head', head };
    this.#headBytes = 0;
    const framing = this.#framingOf(head);
    switch (framing.by) {
      case 'none':
        return [found, ...this.#finish()];
      case 'length':
        if (framing.bytes === 0) return [found, ...this.#finish()];
        this.#state = { at: 'length', left: framing.bytes };
        return [found];
      case 'chunks':
        this.#state = { at: 'chunk-size' };
        return [found];
      case 'close':
        this.#state = { at: 'close' };
        return [found];
      case 'unknown':
        return [found, ...this.#giveUp(framing.why)];
      default:
        return framing satisfies never;
    }
  }

  #chunkSize(line: string): readonly HttpPart[] {
    const digits = /^([0-9a-fA-F]+)[ \t]*(?:;.*)?$/.exec(line)?.[1];
    const size = digits?.replace(/^0+(?=.)/, '');
    if (size === undefined || size.length > CHUNK_SIZE_DIGITS_MAX)
      return this.#giveUp(`no chunk has the size ${JSON.stringify(line.slice(0, 60))}`);
    const left = Number.parseInt(size, 16);
    this.#state = left === 0 ? { at: 'trailers' } : { at: 'chunk', left };
    return [];
  }

  #finish(): readonly HttpPart[] {
    this.#state = { at: 'start' };
    this.#headBytes = 0;
    return [{ part: 'end' }];
  }

  #giveUp(why: string): readonly HttpPart[] {
    this.#state = { at: 'unparsable' };
    return [{ part: 'unparsable', why }];
  }
}

/** The values of a header, in order. */
export function headerValues(headers: readonly Header[], name: string): readonly string[] {
  return headers.filter(([one]) => one.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
}

/** How a body ends that has these headers; `otherwise` is for a head that says nothing. Source: RFC 9112, 6. */
export function framingBy(headers: readonly Header[], otherwise: Framing): Framing {
  const codings = headerValues(headers, 'Transfer-Encoding').join(',').toLowerCase();
  if (codings !== '') {
    const chunked = /(?:^|,)\s*chunked\s*$/.test(codings);
    return chunked ? { by: 'chunks' } : { by: 'unknown', why: `the transfer encoding ${codings} is not understood` };
  }
  const lengths = new Set(headerValues(headers, 'Content-Length').flatMap((value) => value.split(/\s*,\s*/)));
  const [length, ...others] = lengths;
  if (length === undefined) return otherwise;
  if (others.length > 0 || !/^[0-9]{1,15}$/.test(length))
    return { by: 'unknown', why: 'the Content-Length is no number' };
  return { by: 'length', bytes: Number(length) };
}

/** The first byte of a TLS connection. Source: RFC 8446, 5.1. */
const TLS_HANDSHAKE = 0x16;

/** Why nothing in HTTP/1.1 begins like that; an empty line may stand before a head. */
function strangeStart(byte: number): string | undefined {
  if (byte === TLS_HANDSHAKE) return 'it is TLS';
  return (byte >= 0x21 && byte < 0x7f) || byte === 0x0a || byte === 0x0d
    ? undefined
    : `no head begins with the byte 0x${byte.toString(16).padStart(2, '0')}`;
}
