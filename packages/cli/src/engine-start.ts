import { connect, EngineUnreachableError } from '@fairlead/client';
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { getCompileCacheDir } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ExitError } from './exit-codes.ts';

/** How long an engine that was just started may take until it answers. Measured: under 0.5 s; the rest is for slow disks. */
const START_WITHIN_MS = 20_000;
const POLL_MS = 20;
/** How much of the engine's log is shown when it does not come up. */
const LOG_LINES_SHOWN = 10;

/** Where the new engine keeps everything, and where it listens. */
export interface EnginePlace {
  readonly root: string;
  readonly socket: string;
}

/**
 * Starts an engine in the background, in a session of its own, and waits until it answers. Its process id is in
 * `ROOT/engine.pid`, what it logs in `ROOT/engine.log`.
 *
 * @throws ExitError when this user may not, the root cannot be used, or it does not come up; with the end of its log.
 */
export async function startEngine(place: EnginePlace, tell: (line: string) => Promise<void>): Promise<void> {
  const { root, socket } = place;
  if (process.getuid?.() !== 0) {
    throw new ExitError(
      1,
      `No engine is running at unix://${socket}, and only root can start one: use sudo, or name one with --host`,
    );
  }
  const logPath = join(root, 'engine.log');
  const log = openLog(logPath);
  const engine = spawn(
    process.execPath,
    [entryPoint(), 'engine', '--root', root, '--host', `unix://${socket}`],
    // A session of its own, so that Ctrl-C at this terminal does not reach it, and no working directory held.
    { detached: true, cwd: '/', stdio: ['ignore', log, log], env: { ...process.env, ...compileCache() } },
  );
  closeSync(log);
  if (engine.pid !== undefined) writeFileSync(join(root, 'engine.pid'), `${engine.pid}\n`);
  const ended = new AbortController();
  engine.once('error', (error) => ended.abort(error.message));
  engine.once('exit', (code, signal) => ended.abort(`it ended with ${code ?? signal}`));
  await tell(`No engine was running: started one in the background (root ${root}, pid ${engine.pid}, log ${logPath})`);
  await untilItAnswers({ ended: ended.signal, logPath, socket });
  engine.removeAllListeners();
  engine.unref();
}

/** The command itself: the same form of it, built or source, that runs now. */
function entryPoint(): string {
  return join(import.meta.dirname, `main${extname(import.meta.filename)}`);
}

/** The cache that this process uses: Node names the directory of its own version inside it. */
function compileCache(): Readonly<Record<string, string>> {
  const used = getCompileCacheDir();
  return used === undefined ? {} : { NODE_COMPILE_CACHE: dirname(used) };
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

async function untilItAnswers(engine: {
  readonly ended: AbortSignal;
  readonly logPath: string;
  readonly socket: string;
}): Promise<void> {
  const until = performance.now() + START_WITHIN_MS;
  while (performance.now() < until && !engine.ended.aborted) {
    await using probe = await connect({ host: `unix://${engine.socket}` });
    try {
      await probe.traits();
      return;
    } catch (error) {
      if (!(error instanceof EngineUnreachableError)) throw error;
    }
    await sleep(POLL_MS);
  }
  const why = engine.ended.aborted
    ? String(engine.ended.reason)
    : `it does not answer after ${START_WITHIN_MS / 1000} s`;
  const tail = readFileSync(engine.logPath, 'utf8').trimEnd().split('\n').slice(-LOG_LINES_SHOWN).join('\n');
  throw new ExitError(1, `Cannot start an engine: ${why}. The end of ${engine.logPath}:\n${tail}`);
}
