import { EngineError } from '@fairlead/protocol';
import { waitOrAbort } from '../../lib/wait-or-abort.ts';
import type { TerminalSize } from '../ports/console.ts';
import type { ExecDeps } from './deps.ts';

/** How long a resize waits for the start it races with. Source: engine-api 5.8. */
export const RESIZE_WAIT_MS: number = 10_000;

/**
 * Sets the size of an exec's terminal; one that is not started yet is waited for, `RESIZE_WAIT_MS` at most.
 * Without a terminal nothing happens.
 * @throws EngineError 'not-found' for an unknown or ended exec, 'internal' when it was not started in time.
 */
export async function resizeExec(
  deps: Pick<ExecDeps, 'execs' | 'clock'>,
  id: string,
  options: { readonly size: TerminalSize; readonly signal: AbortSignal },
): Promise<void> {
  const session = deps.execs.resolve(id);
  if (session.state.status === 'exited') throw new EngineError('not-found', `No such exec instance: ${id}`);
  const overdue = new AbortController();
  using _timer = deps.clock.after(RESIZE_WAIT_MS, () => {
    overdue.abort(new EngineError('internal', 'timeout waiting for exec session ready'));
  });
  const process = await waitOrAbort(session.launched, AbortSignal.any([overdue.signal, options.signal]));
  process.resize(options.size);
}
