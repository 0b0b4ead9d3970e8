import { EngineError, type ContainerRef, type TopResponse } from '@fairlead/protocol';
import type { ContainerDeps } from './deps.ts';
import type { ProcessList } from '../ports/process-list.ts';

/**
 * The container's processes as the host's `ps` shows them. Source: engine-api 8.4.
 * @throws EngineError 'conflict' unless it runs, 'internal' with the words of `ps` or when there is no PID column.
 */
export async function topContainer(
  deps: Pick<ContainerDeps, 'directory' | 'runtime' | 'publish'> & { readonly processes: ProcessList },
  ref: ContainerRef,
  psArgs: string,
): Promise<TopResponse> {
  const args = psArgs.trim() === '' ? ['-ef'] : psArgs.trim().split(/\s+/);
  assertNoRenamedPid(args);
  const actor = deps.directory.resolve(ref);
  if (actor.state.status === 'restarting') {
    throw new EngineError('conflict', `Container ${actor.id} is restarting, wait until the container is running`);
  }
  if (actor.state.status !== 'running') throw new EngineError('conflict', `container ${actor.id} is not running`);
  const pids = await deps.runtime.pids(actor.id);
  const table = parsePs(await deps.processes.ps(args, pids), new Set(pids.map(String)));
  deps.publish(actor.record, 'top');
  return table;
}

/** `-o x=PID` would make another column pass for the pid. Source: moby daemon/top_unix.go. */
function assertNoRenamedPid(args: readonly string[]): void {
  for (const arg of args) {
    const renamed = /\b(?!pid\b)(\w+)=\s*(PID\b)/.exec(arg);
    if (renamed !== null) throw new EngineError('internal', `specifying "${renamed[0]}" is not allowed`);
  }
}

/** Keeps the rows of these pids; the last column takes the rest of the line. */
export function parsePs(text: string, pids: ReadonlySet<string>): TopResponse {
  const [head = '', ...lines] = text.split('\n');
  const titles = head.trim().split(/\s+/);
  const pidColumn = titles.indexOf('PID');
  if (pidColumn < 0) throw new EngineError('internal', "Couldn't find PID field in ps output");
  const processes = lines
    .filter((line) => line.trim() !== '')
    .map((line) => splitColumns(line, titles.length))
    .filter((columns) => pids.has(columns[pidColumn] ?? ''));
  return { Titles: titles, Processes: processes };
}

function splitColumns(line: string, count: number): readonly string[] {
  const words = line.trim().split(/\s+/);
  if (words.length <= count) return words;
  return [...words.slice(0, count - 1), words.slice(count - 1).join(' ')];
}
