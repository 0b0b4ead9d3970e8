import { readFile } from 'node:fs/promises';
import type { EngineSide } from './engine-side.ts';

/**
 * Sends a signal to the program of an exec with its process group, as a terminal does. Engines have no request for that, so it is
 * done here, and only when it is certain that the pid is the program's: the engine names it, and its cgroup is the container's.
 *
 * @returns whether it was delivered.
 */
export async function signalExec(
  engine: EngineSide,
  { execId, number }: { readonly execId: string; readonly number: number },
  signal: AbortSignal,
): Promise<boolean> {
  const { client } = engine;
  if (!client.address.startsWith('unix:')) return false;
  try {
    const exec = await engine.look((limited) => client.containers.inspectExec(execId, { signal: limited }), signal);
    if (exec === undefined || !exec.Running || exec.Pid <= 1 || exec.ContainerID === '') return false;
    const cgroup = await readFile(`/proc/${exec.Pid}/cgroup`, 'utf8');
    if (!cgroup.includes(exec.ContainerID)) return false;
    // Runtimes make the program a session of its own; where one does not, its group may hold others.
    const stat = await readFile(`/proc/${exec.Pid}/stat`, 'utf8');
    const group = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]);
    process.kill(group === exec.Pid ? -exec.Pid : exec.Pid, number);
    return true;
  } catch (error) {
    // It ended meanwhile, the engine is silent, or this agent may not: then nothing was delivered.
    if (error instanceof Error) return false;
    throw error;
  }
}
