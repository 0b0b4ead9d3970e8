import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { EngineError } from '@fairlead/protocol';

/**
 * Makes this the only agent of a state directory until it is disposed of. The kernel gives the place back however the process ends.
 *
 * @throws EngineError 'conflict' when another one runs.
 */
export async function onlyAgentOf(directory: string): Promise<Disposable> {
  const { dev, ino } = await stat(directory);
  // An abstract socket: it is no file, so a killed agent leaves nothing behind.
  const server = createServer((socket) => socket.destroy());
  server.listen(`\0fairlead-agent-${dev}-${ino}`);
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new EngineError('conflict', `another agent runs with ${directory}`, { cause });
  }
  server.unref();
  return { [Symbol.dispose]: () => void server.close() };
}
