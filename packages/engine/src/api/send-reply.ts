import type { ApiVersion } from '@fairlead/protocol';
import type { Log } from '../lib/log.ts';
import { JSON_TYPE, TEXT_TYPE } from './engine-headers.ts';
import { beginAnswer, type Exchange, type ResponseHeaders } from './exchange.ts';
import type { Reply } from './route.ts';
import { jsonLines, streamOut } from './stream-out.ts';
import { runHijack } from './upgrade.ts';
import { runWebSocket } from './web-socket-session.ts';

export interface SendReply {
  readonly reply: Reply;
  readonly status: number;
  readonly headers: ResponseHeaders;
  readonly apiVersion: ApiVersion;
  readonly log: Log;
  /** Called when a hijacked session was opened, or could not be. */
  readonly opened?: (error?: unknown) => void;
}

/**
 * Writes a reply. Resolves when it was handed to the connection, for streams and sessions when they ended.
 *
 * @throws what a stream's items throw; then the answer was begun and not ended.
 */
export async function sendReply(exchange: Exchange, sending: SendReply): Promise<void> {
  const { reply, status, headers } = sending;
  const { answer, hangup } = exchange;
  switch (reply.kind) {
    case 'empty':
      return sendWhole(exchange, { status, headers: withLength(status, headers, 0) });
    case 'json':
      return sendDocument(exchange, {
        status,
        headers,
        contentType: JSON_TYPE,
        body: `${JSON.stringify(reply.body)}\n`,
      });
    case 'text':
      return sendDocument(exchange, { status, headers, contentType: TEXT_TYPE, body: reply.text });
    case 'json-stream':
      beginAnswer(answer, status, { ...headers, 'Content-Type': JSON_TYPE });
      return await streamOut(answer, jsonLines(reply.items, reply.lineEnd ?? '\n'), hangup);
    case 'bytes':
      beginAnswer(answer, status, { ...headers, 'Content-Type': reply.contentType });
      return await streamOut(answer, reply.chunks, hangup);
    case 'hijack':
      return await runHijack(exchange, { ...sending, reply });
    case 'web-socket':
      return await runWebSocket(exchange, { ...sending, reply });
    default:
      return reply satisfies never;
  }
}

function sendDocument(
  exchange: Exchange,
  document: {
    readonly status: number;
    readonly headers: ResponseHeaders;
    readonly contentType: string;
    readonly body: string;
  },
): void {
  const { status, contentType, body } = document;
  const headers = { ...document.headers, 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(body) };
  sendWhole(exchange, { status, headers, body });
}

function sendWhole(
  { answer }: Exchange,
  { status, headers, body }: { readonly status: number; readonly headers: ResponseHeaders; readonly body?: string },
): void {
  // The client is gone, and what it asked for is done.
  if (answer.destroyed) return;
  beginAnswer(answer, status, headers);
  answer.end(body);
}

/** 204 and 304 have no length by definition. */
function withLength(status: number, headers: ResponseHeaders, length: number): ResponseHeaders {
  return status === 204 || status === 304 ? headers : { ...headers, 'Content-Length': length };
}
