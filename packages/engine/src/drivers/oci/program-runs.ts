import { setTimeout } from 'node:timers/promises';
import { executableOf } from '../../host/proc.ts';

/** How long a released process may take to its execve(2) before the start is answered all the same. Our own figure. */
const EXECVE_MS = 50;

/**
 * Waits until a process that was let go executes something else than `before`. It calls execve(2) at once; who asked for its
 * name just then would read the runtime's.
 */
export async function programRuns(pid: number | undefined, before: string | undefined): Promise<void> {
  if (pid === undefined || before === undefined) return;
  const until = performance.now() + EXECVE_MS;
  while (executableOf(pid) === before && performance.now() < until) await setTimeout(1);
}
