import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

/** One message of a stream of events; without `data` it only says that the stream lives. */
export interface SseMessage {
  /** What `Last-Event-ID` will say. */
  readonly id?: string;
  readonly event?: string;
  readonly data?: unknown;
}

/** Without anything to say, a stream says so, so that both ends notice when the other is gone. */
export const SSE_ALIVE_MS = 15_000;

/** Writes messages at the reader's pace until they end, or the reader is gone. */
export async function writeSse(
  response: ServerResponse,
  messages: AsyncIterable<SseMessage>,
  signal: AbortSignal,
): Promise<void> {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  response.flushHeaders();
  for await (const message of messages) {
    if (signal.aborted) break;
    if (!response.write(encode(message))) await once(response, 'drain', { signal }).catch(ifAborted);
  }
  response.end();
}

/** One message as text. JSON has no line breaks, so `data` is one line. */
export function encode({ id, event, data }: SseMessage): string {
  if (data === undefined) return ': alive\n\n';
  const head = `${id === undefined ? '' : `id: ${id}\n`}${event === undefined ? '' : `event: ${event}\n`}`;
  return `${head}data: ${JSON.stringify(data)}\n\n`;
}

/** The reader left while the kernel's buffer was full: the loop sees it. */
function ifAborted(error: unknown): void {
  if (!(error instanceof Error && error.name === 'AbortError')) throw error;
}
