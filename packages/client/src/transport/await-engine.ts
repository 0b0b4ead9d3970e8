import type { Duplex } from 'node:stream';
import { ByteReader } from './byte-reader.ts';
import { HEAD_BYTES_MAX } from './http-head.ts';

const PING = 'HEAD /_ping HTTP/1.1\r\nHost: docker\r\n\r\n';

/**
 * Finds out whether an engine is at the other end of a stream, where opening it says nothing about that.
 *
 * One ping is answered, and the stream is as new. Whatever fails before the answer has failed before anything was asked.
 * @throws the stream's error; Error when it ends, or what answers is no HTTP.
 */
export async function awaitEngine(stream: Duplex): Promise<void> {
  const reader = new ByteReader(stream);
  stream.write(PING);
  let text = '';
  while (!text.includes('\r\n\r\n')) {
    const bytes = await reader.read();
    if (bytes === undefined) throw new Error('it ended before it answered');
    text += Buffer.from(bytes).toString('latin1');
    if (!text.startsWith('HTTP/1.'.slice(0, text.length)) || text.length > HEAD_BYTES_MAX) {
      throw new Error(`what answers is no engine: ${JSON.stringify(text.slice(0, 60))}`);
    }
  }
  reader.release();
}
