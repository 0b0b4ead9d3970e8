import { type Client, connect, EngineUnreachableError, FAIRLEAD_SOCKET } from '@fairlead/client';
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ExitError } from './exit-codes.ts';
import { VERSION } from './version.ts';

/** Where the engine keeps everything when nobody says otherwise. */
export const DEFAULT_ROOT = '/var/lib/fairlead';

/** How long an engine that was just started may take until it answers. Measured: under 0.5 s; the rest is for slow disks. */
const START_WITHIN_MS = 20_000;
const POLL_MS = 20;
/** How much of the engine's log is shown when it does not come up. */
const LOG_LINES_SHOWN = 10;

export interface EngineChoice {
  readonly hosts: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Writes one line for the person. */
  readonly tell: (line: string) => Promise<void>;
}

/**
 * The engine a command talks to: `--host`, `FAIRLEAD_HOST`, `DOCKER_HOST`, else the one on this machine, which is started
 * when there is none: in the background, on `FAIRLEAD_ROOT` (default `/var/lib/fairlead`).
 *
 * @throws EngineUnreachableError when one was asked for and cannot be reached, ExitError when none can be started.
 */
export async function connectToEngine(choice: EngineChoice): Promise<Client> {
  const { hosts, env } = choice;
  if (hosts.length > 1) throw new ExitError(1, 'Specify only one -H');
  const asked = hosts[0] ?? named(env['FAIRLEAD_HOST']) ?? named(env['DOCKER_HOST']);
  const client = await connect({ host: asked ?? `unix://${FAIRLEAD_SOCKET}`, env, userAgent: `fairlead/${VERSION}` });
  if (asked !== undefined) return client;
  try {
    await client.traits();
    return client;
  } catch (error) {
    if (!(error instanceof EngineUnreachableError) || !mayStart(error)) throw error;
  }
  const root = named(env['FAIRLEAD_ROOT']) ?? DEFAULT_ROOT;
  await startEngine(root, choice);
  return client;
}

function named(value: string | undefined): string | undefined {
  return value === undefined || value === '' ? undefined : value;
}

/** An engine that is there but may not be used is not replaced by another one. */
function mayStart(error: EngineUnreachableError): boolean {
  return error.errno === 'ENOENT' || error.errno === 'ECONNREFUSED' || error.errno === 'ENOTDIR';
}

async function startEngine(root: string, choice: EngineChoice): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new ExitError(1, `No engine is running at unix://${FAIRLEAD_SOCKET}, and only root can start one: use sudo, or name one with --host`);
  }
  const logPath = join(root, 'engine.log');
  const log = openLog(logPath);
  const engine = spawn(
    process.execPath,
    [join(import.meta.dirname, 'main.ts'), 'engine', '--root', root, '--host', `unix://${FAIRLEAD_SOCKET}`],
    // A session of its own, so that Ctrl-C at this terminal does not reach it, and no working directory held.
    { detached: true, cwd: '/', stdio: ['ignore', log, log] },
  );
  closeSync(log);
  const ended = new AbortController();
  engine.once('error', (error) => ended.abort(error.message));
  engine.once('exit', (code, signal) => ended.abort(`it ended with ${code ?? signal}`));
  await choice.tell(`No engine was running: started one in the background (root ${root}, pid ${engine.pid}, log ${logPath})`);
  await untilItAnswers({ ended: ended.signal, logPath });
  engine.removeAllListeners();
  engine.unref();
}

function openLog(path: string): number {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o711 });
    return openSync(path, 'a', 0o640);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ExitError(1, `Cannot start an engine on ${dirname(path)}: ${why}`, { cause });
  }
}

async function untilItAnswers(engine: { readonly ended: AbortSignal; readonly logPath: string }): Promise<void> {
  const until = performance.now() + START_WITHIN_MS;
  while (performance.now() < until && !engine.ended.aborted) {
    await using probe = await connect({ host: `unix://${FAIRLEAD_SOCKET}` });
    try {
      await probe.traits();
      return;
    } catch (error) {
      if (!(error instanceof EngineUnreachableError)) throw error;
    }
    await sleep(POLL_MS);
  }
  const why = engine.ended.aborted ? String(engine.ended.reason) : `it does not answer after ${START_WITHIN_MS / 1000} s`;
  const tail = readFileSync(engine.logPath, 'utf8').trimEnd().split('\n').slice(-LOG_LINES_SHOWN).join('\n');
  throw new ExitError(1, `Cannot start an engine: ${why}. The end of ${engine.logPath}:\n${tail}`);
}
