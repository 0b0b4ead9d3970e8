import type { IncomingMessage } from 'node:http';
import { HubError } from '../operation/hub-error.ts';

/** Reads a JSON body of at most `bytesMax`. @throws HubError 'TOO_LARGE', 'INVALID' */
export async function readJsonBody(request: IncomingMessage, bytesMax: number): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    if (!(chunk instanceof Uint8Array)) continue;
    bytes += chunk.byteLength;
    if (bytes > bytesMax) throw new HubError('TOO_LARGE', `the body has more than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  try {
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    return body;
  } catch (cause) {
    throw new HubError('INVALID', 'the body is not JSON', { cause });
  }
}
