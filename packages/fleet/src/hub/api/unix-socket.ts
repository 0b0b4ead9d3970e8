import { mkdir, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { dirname } from 'node:path';
import { EngineError } from '@fairlead/protocol';

/** Makes way for a socket: what a dead hub left is removed. @throws EngineError 'conflict' when somebody answers there. */
export async function claimSocket(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o711 });
  if (await isAnswered(path)) throw new EngineError('conflict', `another program listens on ${path}`);
  await rm(path, { force: true });
}

async function isAnswered(path: string): Promise<boolean> {
  const socket = createConnection({ path });
  const answered = Promise.withResolvers<boolean>();
  socket.once('connect', () => answered.resolve(true));
  socket.once('error', () => answered.resolve(false));
  const yes = await answered.promise;
  socket.destroy();
  return yes;
}
