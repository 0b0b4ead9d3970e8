import { readFile } from 'node:fs/promises';
import { isEngineError } from '@fairlead/protocol';
import type { EngineSide } from '../engine/engine-side.ts';
import type { JournalEntry } from '../journal/record.ts';

/**
 * Kills the program of an exec with its process group. Engines have no request for that, so it is done here, and only when it is
 * certain that the pid is the program's: the engine names it, and its cgroup is the container's.
 *
 * @returns whether the kill was delivered.
 */
export async function cancelExec(engine: EngineSide, entry: JournalEntry, signal: AbortSignal): Promise<boolean> {
  const execId = entry.steps.flatMap((step) => (step.step === 'exec' ? [step.execId] : [])).at(-1);
  const containerId = entry.evidence?.container?.id;
  if (execId === undefined || containerId === undefined || !engine.client.address.startsWith('unix:')) return false;
  try {
    const exec = await engine.look(
      (limited) => engine.client.containers.inspectExec(execId, { signal: limited }),
      signal,
    );
    if (exec === undefined || !exec.Running || exec.Pid <= 1) return false;
    const cgroup = await readFile(`/proc/${exec.Pid}/cgroup`, 'utf8');
    if (!cgroup.includes(containerId)) return false;
    // Runtimes make the program a session of its own; where one does not, its group may hold others.
    const stat = await readFile(`/proc/${exec.Pid}/stat`, 'utf8');
    const group = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]);
    process.kill(group === exec.Pid ? -exec.Pid : exec.Pid, 'SIGKILL');
    return true;
  } catch (error) {
    // It ended meanwhile, the engine is silent, or this agent may not: then nothing was delivered.
    if (isEngineError(error) || error instanceof Error) return false;
    throw error;
  }
}
