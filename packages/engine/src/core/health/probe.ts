import { EngineError, formatGoDuration, type ExecConfig } from '@fairlead/protocol';
import { waitOrAbort } from '../../lib/wait-or-abort.ts';
import type { ContainerActor } from '../container/actor.ts';
import type { HealthRules, ProbeResult } from '../container/health.ts';
import { createExec } from '../exec/create.ts';
import type { ExecDeps } from '../exec/deps.ts';
import { claimExec, launchExec, type LaunchedExec } from '../exec/start.ts';
import type { ExecProcess } from '../ports/container-runtime.ts';

/** What is kept of a probe's output. Source: moby daemon/health.go, maxOutputLen. */
export const PROBE_OUTPUT_BYTES_MAX = 4096;
/** How long the runtime may take to start a probe; it does not count as the probe's own time. Source: moby daemon/health.go. */
export const PROBE_START_MS = 30_000;

export interface RunProbe {
  readonly rules: HealthRules;
  /** Kills the probe when it aborts. */
  readonly signal: AbortSignal;
}

/** What became of the command itself. */
type Outcome = Pick<ProbeResult, 'exitCode' | 'output'>;

/** Runs a container's health check once, as an exec that shows in the events. Never rejects: what goes wrong is a result. */
export async function runProbe(deps: ExecDeps, actor: ContainerActor, command: RunProbe): Promise<ProbeResult> {
  const start = deps.clock.now();
  const outcome = await attempt(deps, actor, command).catch(failedOutcome);
  return { ...outcome, start, end: deps.clock.now() };
}

async function attempt(deps: ExecDeps, actor: ContainerActor, { rules, signal }: RunProbe): Promise<Outcome> {
  const { id } = createExec(deps, actor.id, configOf(rules.command));
  const claimed = claimExec(deps, id);
  const { process, settled } = await launchExec(deps, claimed, { size: undefined });
  await using _released = process;
  const kill = (): void => void process.kill();
  signal.addEventListener('abort', kill, { once: true });
  try {
    if (signal.aborted) kill();
    const text = readOutput(process);
    // Awaited below, unless it could not even be started.
    text.catch(() => {});
    await started(deps, actor, { process, settled });
    const isLate = await outlived(deps, settled, rules.timeoutMs);
    if (isLate) {
      kill();
      await settled;
    }
    const { state } = claimed.session;
    const exitCode = state.status === 'exited' ? state.exitCode : -1;
    return isLate ? lateOutcome(rules.timeoutMs, await text) : { exitCode, output: await text };
  } finally {
    signal.removeEventListener('abort', kill);
  }
}

/** @throws what the start failed with. */
async function started(deps: ExecDeps, actor: ContainerActor, { process, settled }: LaunchedExec): Promise<void> {
  const overdue = new AbortController();
  using _timer = deps.clock.after(PROBE_START_MS, () => {
    overdue.abort(new EngineError('unavailable', `timed out starting health check for container ${actor.id}`));
  });
  // A start that failed is told by `settled`, too, once it is written down.
  const begun = process.started.then(
    () => {},
    () => settled,
  );
  try {
    await waitOrAbort(begun, overdue.signal);
  } catch (error) {
    void process.kill();
    throw error;
  }
}

/** @returns whether it was still running after `ms`. */
async function outlived(deps: ExecDeps, settled: Promise<void>, ms: number): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  using _timer = deps.clock.after(ms, () => late.resolve(true));
  return await Promise.race([settled.then(() => false), late.promise]);
}

/** Both streams as they come; what is too long is cut and marked. */
async function readOutput({ output }: ExecProcess): Promise<string> {
  const kept: Uint8Array[] = [];
  let [room, isCut] = [PROBE_OUTPUT_BYTES_MAX, false];
  for await (const { bytes } of output) {
    const part = bytes.subarray(0, room);
    isCut ||= part.length < bytes.length;
    room -= part.length;
    // Copied: a small part must not keep a large buffer alive.
    if (part.length > 0) kept.push(Uint8Array.from(part));
  }
  return `${Buffer.concat(kept).toString('utf8')}${isCut ? '...' : ''}`;
}

function lateOutcome(timeoutMs: number, text: string): Outcome {
  const words = `Health check exceeded timeout (${formatGoDuration(timeoutMs)})`;
  return { exitCode: -1, output: text === '' ? words : `${words}: ${text}` };
}

function failedOutcome(error: unknown): Outcome {
  return { exitCode: -1, output: error instanceof Error ? error.message : String(error) };
}

/** User, directory and environment are the container's own. */
function configOf(command: readonly string[]): ExecConfig {
  return {
    AttachStdin: false,
    AttachStdout: true,
    AttachStderr: true,
    Tty: false,
    Cmd: command,
    Env: null,
    User: '',
    WorkingDir: '',
    Privileged: false,
    DetachKeys: '',
    Detach: false,
    ConsoleSize: null,
  };
}
