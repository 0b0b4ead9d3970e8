import { stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { DOCKER_SOCKET, FAIRLEAD_SOCKET } from '@fairlead/client';

/** Where Podman's service listens for root. Source: podman-system-service(1). */
export const PODMAN_SOCKET = '/run/podman/podman.sock';

/** Where engines listen, and how long one may take to do so. */
export interface EngineSockets {
  /** Those that the client finds by itself. */
  readonly usual: readonly string[];
  readonly podman: string;
  /** An agent that is started together with its engine is there before that is. */
  readonly withinMs: number;
}

const SOCKETS: EngineSockets = {
  usual: [FAIRLEAD_SOCKET, DOCKER_SOCKET],
  podman: PODMAN_SOCKET,
  withinMs: 10_000,
};
const LOOK_AGAIN_MS = 100;

/**
 * Where the engine is when nobody says: undefined leaves it to the client, which knows the environment and Docker's contexts; Podman is
 * found when there is no other.
 */
export async function engineHost(
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
  { usual, podman, withinMs }: EngineSockets = SOCKETS,
): Promise<string | undefined> {
  if ((env['DOCKER_HOST'] ?? '') !== '' || (env['DOCKER_CONTEXT'] ?? '') !== '') return undefined;
  const untilMs = performance.now() + withinMs;
  while (!signal.aborted) {
    const there = await Promise.all(usual.map(isSocket));
    if (there.includes(true)) return undefined;
    if (await isSocket(podman)) return `unix://${podman}`;
    if (performance.now() > untilMs) return undefined;
    await sleep(LOOK_AGAIN_MS, undefined, { signal }).catch(() => {});
  }
  return undefined;
}

async function isSocket(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isSocket(),
    () => false,
  );
}
