import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError } from '@fairlead/protocol';
import { readNatsLog } from './nats-log.ts';

/** Where a child listens, and what it calls itself: whoever answers there under another name is somebody else. */
export interface NatsPlace {
  readonly program: string;
  readonly configPath: string;
  readonly host: string;
  readonly port: number;
  readonly serverName: string;
}

/** A start reads the stores of JetStream: seconds at most for what the fleet keeps. */
const START_WITHIN_MS = 60_000;
/** A reload of 10,000 users takes a good second. */
const RELOAD_WITHIN_MS = 30_000;
/** How long a child may take to end before it is killed. */
const END_WITHIN_MS = 5_000;
const POLL_MS = 10;
/**
 * Processors that it works on at once: half of them. It passes each message on in microseconds, so what it would do on more is look for work,
 * on those that the hub is to have: a quarter of its time on a machine with two.
 */
const GO_PROCESSORS: number = Math.max(1, Math.floor(availableParallelism() / 2));
/** The last lines of its log are told when it fails. */
const LOG_LINES_KEPT = 12;
/** The INFO of a nats-server is a line of some 500 bytes. */
const INFO_BYTES_MAX = 16 * 1024;

/**
 * One nats-server, a child that ends with its parent in every case: setpriv(1) has the kernel kill it when this process dies
 * (PR_SET_PDEATHSIG), also by kill -9.
 */
export class NatsProcess implements AsyncDisposable {
  /** Resolves with how it ended. */
  readonly ended: Promise<string>;
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  #over = false;
  #reload: PromiseWithResolvers<void> | undefined;

  private constructor(place: NatsPlace) {
    // In a session of its own, so that Ctrl-C reaches the hub alone, which ends it last.
    this.#child = spawn('setpriv', ['--pdeathsig', 'KILL', place.program, '-c', place.configPath], {
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
      env: { GOMAXPROCS: String(GO_PROCESSORS), ...process.env },
    });
    this.ended = this.#watch();
  }

  /** Resolves when it takes connections. @throws EngineError 'unavailable' with the end of its log when it does not come up. */
  static async start(place: NatsPlace, signal: AbortSignal): Promise<NatsProcess> {
    const server = new NatsProcess(place);
    try {
      await server.#untilReady(place, AbortSignal.any([signal, AbortSignal.timeout(START_WITHIN_MS)]));
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Has it read its configuration again. One at a time. @throws EngineError when it refuses, ends, or says nothing. */
  async reload(): Promise<void> {
    const reload = Promise.withResolvers<void>();
    this.#reload = reload;
    const timer = setTimeout(
      () => reload.reject(new EngineError('unavailable', 'nats-server did not reload its configuration')),
      RELOAD_WITHIN_MS,
    );
    try {
      if (!this.#child.kill('SIGHUP')) throw this.#gone();
      await reload.promise;
    } finally {
      clearTimeout(timer);
      this.#reload = undefined;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#over) return;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), END_WITHIN_MS);
    await this.ended;
    clearTimeout(timer);
  }

  async #watch(): Promise<string> {
    const ended = Promise.withResolvers<string>();
    this.#child.once('error', (error) => ended.resolve(`cannot run nats-server: ${error.message}`));
    this.#child.once('exit', (code, signal) => ended.resolve(signal === null ? `exit code ${code}` : signal));
    const read = this.#readLog();
    const how = await ended.promise;
    this.#over = true;
    await read;
    this.#reload?.reject(this.#gone());
    return [how, ...this.#lines].join('\n');
  }

  async #readLog(): Promise<void> {
    if (this.#child.stderr === null) return;
    for await (const line of createInterface({ input: this.#child.stderr })) {
      this.#lines.push(line);
      if (this.#lines.length > LOG_LINES_KEPT) this.#lines.shift();
      const event = readNatsLog(line);
      if (event?.kind === 'reloaded') this.#reload?.resolve();
      if (event?.kind === 'reload-failed') this.#reload?.reject(new EngineError('internal', event.why));
    }
  }

  async #untilReady(place: NatsPlace, signal: AbortSignal): Promise<void> {
    for (;;) {
      if (this.#over) throw new EngineError('unavailable', `nats-server does not start: ${await this.ended}`);
      const name = await serverNameAt(place, signal);
      if (name === place.serverName) return;
      if (name !== undefined) {
        throw new EngineError('conflict', `another nats-server (${name}) has ${place.host}:${place.port}`);
      }
      signal.throwIfAborted();
      await sleep(POLL_MS, undefined, { signal });
    }
  }

  #gone(): EngineError {
    return new EngineError('unavailable', 'nats-server has ended');
  }
}

/** The name in the INFO that a nats-server greets with; undefined when nobody listens, or says anything else. */
async function serverNameAt({ host, port }: NatsPlace, signal: AbortSignal): Promise<string | undefined> {
  const socket = createConnection({ host, port, signal });
  try {
    await once(socket, 'connect');
    let greeting = '';
    for await (const chunk of socket.setEncoding('utf8')) {
      greeting += String(chunk);
      if (greeting.includes('\n') || greeting.length > INFO_BYTES_MAX) break;
    }
    return /^INFO .*?"server_name":"([^"]*)"/.exec(greeting)?.[1];
  } catch {
    // Refused or cut: it does not listen yet.
    return undefined;
  } finally {
    socket.destroy();
  }
}
