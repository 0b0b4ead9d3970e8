import { ProtocolError } from '../errors.ts';
import type { OutputChunk } from './output-decoder.ts';

/** Output that is given back whole is kept in memory; more than this is refused. */
export const COLLECTED_BYTES_MAX: number = 64 * 1024 * 1024;

/** What a program wrote. */
export interface CollectedOutput {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** Reads output to its end. @throws ProtocolError when it is more than `COLLECTED_BYTES_MAX`; what `output` throws. */
export async function collectOutput(output: AsyncIterable<OutputChunk>, operation: string): Promise<CollectedOutput> {
  const chunks: Record<OutputChunk['stream'], Uint8Array[]> = { stdout: [], stderr: [] };
  let bytesHeld = 0;
  for await (const { stream, bytes } of output) {
    bytesHeld += bytes.byteLength;
    if (bytesHeld > COLLECTED_BYTES_MAX) {
      throw new ProtocolError(
        `more than ${COLLECTED_BYTES_MAX} bytes of output: read them from a session (${operation})`,
        {
          operation,
        },
      );
    }
    chunks[stream].push(bytes);
  }
  return { stdout: Buffer.concat(chunks.stdout), stderr: Buffer.concat(chunks.stderr) };
}
