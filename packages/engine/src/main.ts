import { isEngineError } from '@fairlead/protocol';
import type { EngineConfig } from './config/config.ts';
import { Engine } from './compose.ts';

export interface RunEngineOptions extends EngineConfig {
  /** `unix:///PATH` or `tcp://ADDRESS:PORT`; at least one. */
  readonly hosts: readonly string[];
}

/** How long answers under way may take when the daemon is told to end; containers go on in any case. */
const DRAIN_MS = 10_000;

/**
 * Runs the engine as a daemon in the foreground, until SIGTERM or SIGINT. Containers go on running then.
 *
 * Prints `listening on …` on stdout for every address, when it accepts connections there.
 * @returns the exit code: 0 after a signal, 1 when it could not start; why is on stderr.
 */
export async function runEngine(options: RunEngineOptions): Promise<number> {
  const ending = Promise.withResolvers<NodeJS.Signals>();
  process.once('SIGTERM', ending.resolve);
  process.once('SIGINT', ending.resolve);
  try {
    await using engine = await Engine.open(options);
    for (const host of options.hosts) process.stdout.write(`listening on ${await engine.listen(host)}\n`);
    await ending.promise;
    await engine.drain(DRAIN_MS);
    return 0;
  } catch (error) {
    process.stderr.write(`fairlead engine: ${isEngineError(error) ? error.message : describe(error)}\n`);
    return 1;
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
