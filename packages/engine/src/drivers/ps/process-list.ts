import { EngineError } from '@fairlead/protocol';
import type { ProcessList } from '../../core/ports/process-list.ts';
import { runProgram } from '../../host/process.ts';

/** `ps` answers at once or not at all. Our own figure. */
const PS_TIMEOUT_MS = 10_000;

/** The host's `ps`. With options it cannot combine with a list of pids it is asked for all and the caller filters. */
export const hostProcessList: ProcessList = {
  async ps(args, pids) {
    const listed = await run([...args, '-q', pids.join(',')]);
    if (listed.exitCode === 0) return listed.stdout;
    // As moby does: some options do not go with -q. Source: moby daemon/top_unix.go.
    const all = await run(args);
    if (all.exitCode === 0) return all.stdout;
    throw new EngineError('internal', `ps: ${all.stderr.trim().split('\n')[0] ?? ''}`);
  },
};

function run(args: readonly string[]): ReturnType<typeof runProgram> {
  return runProgram('ps', args, { signal: AbortSignal.timeout(PS_TIMEOUT_MS) });
}
