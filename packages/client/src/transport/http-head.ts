import { EngineError } from '@fairlead/protocol';

/** Heads that are longer are refused. Source: Go's net/http takes 1 MB; the longest of an engine is under 2 KB. */
export const HEAD_BYTES_MAX: number = 64 * 1024;

/** Header names in lower case; values that came more than once are joined by a comma. */
export type HttpHeaders = Readonly<Record<string, string | undefined>>;

export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | number | undefined>>;
  /** JSON text, or bytes sent as they come. */
  readonly body: string | AsyncIterable<Uint8Array> | undefined;
}

/** The head of an answer. */
export interface HttpHead {
  readonly status: number;
  readonly headers: HttpHeaders;
  /** The engine means to keep the connection open. */
  readonly keepsAlive: boolean;
}

/** The text of a request's head. @throws EngineError 'invalid-argument' for characters that would end a line, or are none of HTTP's. */
export function formatHead(request: Omit<HttpRequest, 'body'>): string {
  if (!/^[\x21-\x7e]+$/.test(request.path)) {
    throw new EngineError('invalid-argument', `not a path of HTTP: ${JSON.stringify(request.path)}`);
  }
  const lines = [`${request.method} ${request.path} HTTP/1.1`];
  for (const [name, value] of Object.entries(request.headers)) {
    if (value === undefined) continue;
    const text = String(value);
    // The value may be a secret: only its header is named.
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(text) || !/^[\w!#$%&'*+.^`|~-]+$/.test(name)) {
      throw new EngineError('invalid-argument', `a character that no HTTP header may have, in ${JSON.stringify(name)}`);
    }
    lines.push(`${name}: ${text}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** Reads the text of an answer's head, without the empty line at its end. @throws Error when it is not HTTP/1. */
export function parseHead(text: string): HttpHead {
  const [first = '', ...lines] = text.split('\r\n');
  const status = /^HTTP\/1\.([01]) ([1-9]\d{2})(?: |$)/.exec(first);
  if (status === null) throw new Error(`this is no HTTP: ${JSON.stringify(first.slice(0, 60))}`);
  const headers = new Map<string, string>();
  for (const line of lines) {
    const field = /^([^\s:]+):[ \t]*(.*?)[ \t]*$/s.exec(line);
    if (field === null) throw new Error(`malformed header: ${JSON.stringify(line.slice(0, 60))}`);
    const [, name = '', value = ''] = field;
    const key = name.toLowerCase();
    const before = headers.get(key);
    headers.set(key, before === undefined ? value : `${before}, ${value}`);
  }
  const isClosing = (headers.get('connection') ?? '')
    .toLowerCase()
    .split(/\s*,\s*/)
    .includes('close');
  return {
    status: Number(status[2]),
    headers: Object.fromEntries(headers),
    keepsAlive: status[1] === '1' && !isClosing,
  };
}
