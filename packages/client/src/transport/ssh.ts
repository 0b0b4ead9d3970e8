import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { EngineError } from '@fairlead/protocol';
import type { Duplex } from 'node:stream';
import { ConnectionLostError, EngineUnreachableError } from '../errors.ts';
import { waitOrAbort } from '../wait-or-abort.ts';
import type { SshAddress } from './address.ts';
import { endAndReap, endOf, type ProcessEnd, processStream } from './process-stream.ts';
import { SharedSsh, type SharedSshDeps } from './shared-ssh.ts';
import { awaitEngine } from './await-engine.ts';
import { hostAndPort } from './tcp.ts';
import type { Transport } from './transport.ts';

/** How to log in. Everything else is ssh's own configuration. */
export interface SshOptions {
  /** For ssh itself, in front of ours: `['-F', 'ssh_config']`, `['-i', 'key']`. */
  readonly args?: readonly string[] | undefined;
  /** The program; default `ssh` on the PATH. */
  readonly program?: string | undefined;
  /** Its environment; default this process's. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** What is run over there with `system dial-stdio`; default `docker`, and `fairlead` where there is no docker. */
  readonly remote?: readonly string[] | undefined;
  /** False: every connection logs in anew, as with Docker's CLI. Default true: they share one. */
  readonly share?: boolean | undefined;
}

const REMOTE_PROGRAMS: readonly (readonly string[])[] = [['docker'], ['fairlead']];

/** What a shell says when there is no such program. Source: POSIX, 2.8.2. */
const EXIT_NOT_FOUND = 127;
/** What ssh says of itself; everything else is from the program over there. Source: ssh(1). */
const EXIT_SSH = 255;

/**
 * An engine on another machine, reached as Docker's CLI does it: `ssh … -- HOST docker system dial-stdio`.
 *
 * One login is shared by all connections (see `SharedSsh`): each is a program of its own still, started in half the time or less, and a
 * key that wants to be touched is touched once. What ssh asks at a terminal it does not ask here, because it is given none.
 */
export class SshTransport implements Transport, AsyncDisposable {
  readonly #address: SshAddress;
  readonly #options: SshOptions;
  readonly #shared: SharedSsh | undefined;
  readonly #running = new Set<ChildProcessWithoutNullStreams>();
  #remotes: readonly (readonly string[])[];

  constructor(address: SshAddress, options: SshOptions = {}) {
    this.#address = address;
    this.#options = options;
    this.#remotes = options.remote === undefined ? REMOTE_PROGRAMS : [options.remote];
    const deps: SharedSshDeps = {
      start: (own, command) => this.#start(own, command),
      refusal: (end, stderr) => this.#refusal(end, stderr),
    };
    this.#shared = options.share === false ? undefined : new SharedSsh(deps);
  }

  /** @throws EngineUnreachableError with what ssh or the program over there wrote to standard error. */
  async dial(signal: AbortSignal): Promise<Duplex> {
    signal.throwIfAborted();
    const shared = (await this.#shared?.options(signal)) ?? [];
    try {
      return await this.#dialAny(shared, signal);
    } catch (error) {
      // The login that was to be shared may just have ended, or takes no more sessions.
      const isOfSsh = error instanceof EngineUnreachableError && error.errno === `EXIT_${EXIT_SSH}`;
      if (shared.length === 0 || !isOfSsh) throw error;
      return await this.#dialAny([], signal);
    }
  }

  async #dialAny(shared: readonly string[], signal: AbortSignal): Promise<Duplex> {
    for (const [at, remote] of this.#remotes.entries()) {
      const stream = await this.#dialWith(remote, shared, { signal, isLast: at === this.#remotes.length - 1 });
      if (stream === undefined) continue;
      this.#remotes = [remote];
      return stream;
    }
    throw new EngineError('internal', 'no program to run over ssh');
  }

  describe(): string {
    const { user, hostname, port, path = '' } = this.#address;
    const host = port === undefined ? hostname : hostAndPort(hostname, port);
    return `ssh://${user === undefined ? '' : `${user}@`}${host}${path}`;
  }

  /** Ends every ssh that is still there, and resolves when they are reaped. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#shared?.[Symbol.asyncDispose]();
    await Promise.all([...this.#running].map((child) => endAndReap(child)));
  }

  /** @returns undefined when there is no such program over there and another one is still to be tried. */
  async #dialWith(
    remote: readonly string[],
    shared: readonly string[],
    { signal, isLast }: { readonly signal: AbortSignal; readonly isLast: boolean },
  ): Promise<Duplex | undefined> {
    const { path } = this.#address;
    const command = [...remote, ...(path === undefined ? [] : [`--host=unix://${path}`]), 'system', 'dial-stdio'];
    const child = await this.#start(shared, command);
    let isReached = false;
    const connection = processStream(child, (end, stderr) =>
      isReached ? this.#loss(end, stderr) : this.#refusal(end, stderr),
    );
    try {
      await waitOrAbort(awaitEngine(connection.stream), signal);
      isReached = true;
      return connection.stream;
    } catch (error) {
      connection.stream.destroy();
      const end = await connection.ended;
      if (signal.aborted) throw signal.reason;
      if (end.code === EXIT_NOT_FOUND && !isLast) return undefined;
      if (error instanceof EngineUnreachableError) throw error;
      throw this.#refusal(end, connection.stderr(), error);
    }
  }

  async #start(shared: readonly string[], command: readonly string[]): Promise<ChildProcessWithoutNullStreams> {
    const { spawn } = await import('node:child_process');
    const { program = 'ssh', env = process.env, args: own = [] } = this.#options;
    const { user, hostname, port } = this.#address;
    const args = [
      // The first value of an option counts: sharing is ours, the caller's own come next. Source: docker/cli, connhelper.go.
      ...shared,
      ...own,
      ...['-o', 'ConnectTimeout=30', '-o', 'ServerAliveInterval=30', '-T'],
      ...(user === undefined ? [] : ['-l', user]),
      ...(port === undefined ? [] : ['-p', String(port)]),
      ...['--', hostname, ...command.map(quoted)],
    ];
    // A session of its own: Ctrl-C at the terminal is for the program over there, and nothing is asked at it. Source: commandconn.
    const child = spawn(program, args, { detached: true, stdio: 'pipe', env });
    this.#running.add(child);
    void endOf(child).then(() => this.#running.delete(child));
    return child;
  }

  #refusal(end: ProcessEnd, stderr: string, cause: unknown = end.error): EngineUnreachableError {
    const address = this.describe();
    const words = stderr === '' ? howItEnded(end) : stderr;
    const by = end.code === EXIT_SSH || end.code === null ? 'ssh' : 'the other side';
    return new EngineUnreachableError(`Cannot connect to the engine at ${address}: ${by} says: ${words}`, {
      errno: end.error === undefined ? `EXIT_${end.code ?? end.signal}` : 'ENOENT',
      address,
      cause,
    });
  }

  #loss(end: ProcessEnd, stderr: string): Error {
    const words = stderr === '' ? howItEnded(end) : stderr;
    return new ConnectionLostError(`The connection to the engine at ${this.describe()} ended: ${words}`, {
      operation: 'ssh',
    });
  }
}

function howItEnded({ code, signal, error }: ProcessEnd): string {
  return error === undefined ? `it ended with ${code ?? signal}` : error.message;
}

/** For the shell over there. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
