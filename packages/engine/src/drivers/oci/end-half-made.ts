import { EngineError, type ContainerId } from '@fairlead/protocol';
import { findPrograms, signalProcess, waitForProcessEnd } from '../../host/proc.ts';
import type { RuntimeCommand } from './runtime-command.ts';

const SIGKILL = 9;
/** Who is killed may have started another one just before; none of them does so twice. */
const ROUNDS_MAX = 10;

/**
 * Ends every monitor and every call of the runtime that works on a container, for an engine that died while it was making it.
 * What they have made so far is left for `delete`.
 *
 * Found by their command lines: an engine that dies right after a spawn has told nobody the pid.
 * @throws EngineError 'internal' when there are always new ones.
 */
export async function endHalfMade(command: RuntimeCommand, id: ContainerId): Promise<void> {
  const root = `--root=${command.root}`;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const found = findPrograms((words) => words.includes(root) && words.includes(id));
    if (found.length === 0) return;
    for (const process of found) signalProcess(process, SIGKILL);
    await Promise.all(found.map((process) => waitForProcessEnd(process, new AbortController().signal)));
  }
  throw new EngineError('internal', `programs that work on container ${id} do not come to an end`);
}
