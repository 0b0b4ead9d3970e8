import { stat } from 'node:fs/promises';
import { DOCKER_SOCKET, FAIRLEAD_SOCKET } from '@fairlead/client';

/** Where Podman's service listens for root. Source: podman-system-service(1). */
export const PODMAN_SOCKET = '/run/podman/podman.sock';

/** Where the engine is when nobody says: undefined leaves it to the client, which knows the environment and Docker's contexts; Podman is found when there is no other. */
export async function engineHost(env: Readonly<Record<string, string | undefined>>): Promise<string | undefined> {
  if ((env['DOCKER_HOST'] ?? '') !== '' || (env['DOCKER_CONTEXT'] ?? '') !== '') return undefined;
  const [others, podman] = await Promise.all([
    Promise.all([isSocket(FAIRLEAD_SOCKET), isSocket(DOCKER_SOCKET)]),
    isSocket(PODMAN_SOCKET),
  ]);
  return podman && !others.includes(true) ? `unix://${PODMAN_SOCKET}` : undefined;
}

async function isSocket(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isSocket(),
    () => false,
  );
}
