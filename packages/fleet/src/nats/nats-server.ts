import { randomBytes } from 'node:crypto';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { EngineError } from '@fairlead/protocol';
import type { FleetLog } from '../lib/log.ts';
import { natsConfig, type NatsAgent } from './nats-config.ts';
import { type NatsPlace, NatsProcess } from './nats-process.ts';
import { natsVersion, refuseUnsafeListener } from './nats-version.ts';

/** How the hub's own nats-server is to run. */
export interface NatsServerOptions {
  /** Its configuration, port and stores. One hub per directory: whoever is found running there is ended. */
  readonly directory: string;
  /** Public nkeys of the hub and of its ear for `$SYS`. */
  readonly hubKey: string;
  readonly systemKey: string;
  readonly agents: readonly NatsAgent[];
  /** `127.0.0.1` when absent. */
  readonly listenHost?: string | undefined;
  /** 0 or absent: a free one, the same again after a restart if it is still free. */
  readonly port?: number | undefined;
  /** `nats-server` of the PATH when absent. */
  readonly program?: string | undefined;
  readonly log: FleetLog;
}

/** The hub's own nats-server: a child that is started again when it dies, at the same address. */
export interface NatsServer extends AsyncDisposable {
  /** `nats://127.0.0.1:PORT` */
  readonly url: string;
  readonly version: string;
  /** Of the child at the moment; undefined while there is none. */
  readonly pid: number | undefined;
  /** These agents and no others may connect; resolves when that is so. Whoever is no longer among them is cut off. */
  setAgents(agents: readonly NatsAgent[]): Promise<void>;
}

const run = promisify(execFile);
/** Between two starts of a child that keeps dying: from this, doubled, to at most `RESTART_MS_MAX`. */
const RESTART_MS_MIN = 50;
const RESTART_MS_MAX = 5_000;
/** A child that lived for so long was well. */
const WELL_AFTER_MS = 10_000;
const KILLED_WITHIN_MS = 10_000;
const POLL_MS = 10;

/**
 * Starts the hub's nats-server and resolves when it takes connections.
 *
 * @throws EngineError 'unavailable' when there is no nats-server, or none that starts; 'forbidden' for a listener that
 * strangers reach with a version that has published holes.
 */
export async function startNatsServer(options: NatsServerOptions, signal: AbortSignal): Promise<NatsServer> {
  const program = options.program ?? 'nats-server';
  const host = options.listenHost ?? '127.0.0.1';
  const version = await versionOf(program);
  refuseUnsafeListener(version, host);
  await mkdir(options.directory, { recursive: true, mode: 0o700 });
  const configPath = join(options.directory, 'nats.json');
  await endStale(join(options.directory, 'nats.pid'), configPath);
  const port = await choosePort(host, join(options.directory, 'port'), options.port ?? 0);
  const serverName = `fairlead-${randomBytes(6).toString('hex')}`;
  const keeper = new NatsKeeper(options, { program, configPath, host, port, serverName }, version);
  await keeper.start(signal);
  return keeper;
}

class NatsKeeper implements NatsServer {
  readonly url: string;
  readonly version: string;
  readonly #options: NatsServerOptions;
  readonly #place: NatsPlace;
  readonly #closing = new AbortController();
  #agents: readonly NatsAgent[];
  #process: NatsProcess | undefined;
  #kept: Promise<void> = Promise.resolve();
  /** The reload under way, and the one that waits for it: whoever asks meanwhile shares the latter. */
  #reloading: Promise<void> | undefined;
  #nextReload: Promise<void> | undefined;

  constructor(options: NatsServerOptions, place: NatsPlace, version: string) {
    this.#options = options;
    this.#place = place;
    this.#agents = options.agents;
    this.url = `nats://${place.host}:${place.port}`;
    this.version = version;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  async start(signal: AbortSignal): Promise<void> {
    await this.#writeConfig();
    this.#process = await NatsProcess.start(this.#place, AbortSignal.any([signal, this.#closing.signal]));
    this.#kept = this.#keep(this.#process);
  }

  async setAgents(agents: readonly NatsAgent[]): Promise<void> {
    this.#agents = agents;
    if (this.#reloading === undefined) return await this.#beginReload();
    this.#nextReload ??= this.#reloading.then(
      () => this.#beginReload(),
      () => this.#beginReload(),
    );
    await this.#nextReload;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#process?.[Symbol.asyncDispose]();
    await this.#kept;
  }

  async #beginReload(): Promise<void> {
    this.#nextReload = undefined;
    this.#reloading = this.#reload();
    try {
      await this.#reloading;
    } finally {
      this.#reloading = undefined;
    }
  }

  async #reload(): Promise<void> {
    await this.#writeConfig();
    // While there is no child, the next one reads what was just written.
    await this.#process?.reload();
  }

  /** Starts it again for as long as it is wanted. */
  async #keep(first: NatsProcess): Promise<void> {
    const { log } = this.#options;
    let delayMs = RESTART_MS_MIN;
    let startedMs = performance.now();
    for (let child: NatsProcess | undefined = first; !this.#closing.signal.aborted;) {
      if (child !== undefined) {
        const how = await child.ended;
        this.#process = undefined;
        if (this.#closing.signal.aborted) return;
        log.warning('nats.server.ended', { how });
        if (performance.now() - startedMs > WELL_AFTER_MS) delayMs = RESTART_MS_MIN;
      }
      await sleep(delayMs, undefined, { signal: this.#closing.signal }).catch(ignoreAbort);
      delayMs = Math.min(delayMs * 2, RESTART_MS_MAX);
      startedMs = performance.now();
      child = await this.#startAgain();
      this.#process = child;
    }
    await this.#process?.[Symbol.asyncDispose]();
  }

  async #startAgain(): Promise<NatsProcess | undefined> {
    if (this.#closing.signal.aborted) return undefined;
    try {
      return await NatsProcess.start(this.#place, this.#closing.signal);
    } catch (error) {
      if (!this.#closing.signal.aborted) this.#options.log.failure('nats.server.not-started', error);
      return undefined;
    }
  }

  async #writeConfig(): Promise<void> {
    const { directory, hubKey, systemKey } = this.#options;
    const { host, port, serverName, configPath } = this.#place;
    const text = natsConfig({
      listen: { host, port },
      serverName,
      pidFile: join(directory, 'nats.pid'),
      storeDir: join(directory, 'jetstream'),
      hubKey,
      systemKey,
      agents: this.#agents,
    });
    await replaceFile(configPath, text);
  }
}

async function versionOf(program: string): Promise<string> {
  try {
    const { stdout } = await run(program, ['--version'], { timeout: 30_000 });
    return natsVersion(stdout);
  } catch (cause) {
    if (cause instanceof EngineError) throw cause;
    throw new EngineError(
      'unavailable',
      `cannot run ${program}: install nats-server (Debian: apt-get install nats-server), or name a cluster with --nats`,
      { cause },
    );
  }
}

/** Kills what an earlier hub left: only a process that runs with this very configuration. */
async function endStale(pidFile: string, configPath: string): Promise<void> {
  const pid = Number(await readIfThere(pidFile));
  if (!Number.isSafeInteger(pid) || pid <= 1) return;
  const runs = async (): Promise<boolean> =>
    (await readIfThere(`/proc/${pid}/cmdline`)).split('\0').includes(configPath);
  const untilMs = performance.now() + KILLED_WITHIN_MS;
  while (await runs()) {
    if (performance.now() > untilMs)
      throw new EngineError('conflict', `cannot end the old nats-server, process ${pid}`);
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      // It ended by itself in between.
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
    await sleep(POLL_MS);
  }
}

/** The port of last time if it is free, so that agents and hub find the server where it was. */
async function choosePort(host: string, path: string, wanted: number): Promise<number> {
  const last = wanted === 0 ? Number(await readIfThere(path)) : wanted;
  const port =
    (await freePort(host, Number.isInteger(last) ? last : 0)) ?? (wanted === 0 ? await freePort(host, 0) : undefined);
  if (port === undefined)
    throw new EngineError('conflict', `${host}:${wanted} is taken: nats-server cannot listen there`);
  await replaceFile(path, String(port));
  return port;
}

async function freePort(host: string, port: number): Promise<number | undefined> {
  const probe = createServer();
  try {
    probe.listen(port, host);
    await once(probe, 'listening');
    const bound = probe.address();
    return typeof bound === 'object' && bound !== null ? bound.port : undefined;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return undefined;
    throw error;
  } finally {
    probe.close();
  }
}

async function replaceFile(path: string, text: string): Promise<void> {
  {
    await using file = await open(`${path}.new`, 'w', 0o600);
    await file.writeFile(text);
    await file.sync();
  }
  await rename(`${path}.new`, path);
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return '';
    throw error;
  }
}

/** Being told to close while waiting is not a failure. */
function ignoreAbort(error: unknown): void {
  if (!(error instanceof Error && error.name === 'AbortError')) throw error;
}
