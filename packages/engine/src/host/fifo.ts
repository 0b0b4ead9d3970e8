import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/**
 * Writes one message into a FIFO that somebody reads, without ever waiting. At most 4096 bytes, so that it stays whole.
 * @throws an errno error: 'ENXIO' when nobody has it open, 'ENOENT', 'EAGAIN' when it is full.
 */
export async function writeFifo(path: string, message: string): Promise<void> {
  await using fifo = await open(path, constants.O_WRONLY | constants.O_NONBLOCK);
  await fifo.write(message);
}
