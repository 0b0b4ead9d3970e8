import {
  type BodyInputOf,
  type ContainerRef,
  type ExecEndpoints,
  execEndpoints as rows,
  type ExecInspect,
} from '@fairlead/protocol';
import { call, callHijack, callStream } from '../call.ts';
import { ProtocolError } from '../errors.ts';
import { ExecSession } from '../streams/exec-session.ts';
import { HijackedSession, type TerminalSize } from '../streams/hijacked-session.ts';
import type { OutputChunk } from '../streams/output-decoder.ts';
import { type ClientDeps, type Listening, signalOf } from './group.ts';

export type ExecBody = BodyInputOf<ExecEndpoints['create']>;

export interface SpawnOptions extends Listening {
  readonly tty?: boolean;
  /** Keeps the program's input open for `write`. */
  readonly stdin?: boolean;
  readonly env?: readonly string[];
  readonly user?: string;
  readonly workingDir?: string;
  readonly privileged?: boolean;
  readonly size?: TerminalSize | undefined;
  readonly detachKeys?: string | undefined;
}

export interface ExecOptions extends Omit<SpawnOptions, 'tty' | 'stdin' | 'size' | 'detachKeys'> {
  /** Sent to the program; then its input ends. */
  readonly stdin?: string | AsyncIterable<Uint8Array>;
}

/** What a program left. */
export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** `exec` keeps the output in memory; more than this is refused, so use `spawn`. */
export const EXEC_OUTPUT_BYTES_MAX: number = 64 * 1024 * 1024;

/** Programs in running containers. */
export class ExecGroup {
  readonly #deps: ClientDeps;

  constructor(deps: ClientDeps) {
    this.#deps = deps;
  }

  /** @returns the exec's id. Nothing runs yet. @throws RequestFailedError 'conflict' when the container is not running. */
  async create(ref: ContainerRef, body: ExecBody, options: Listening = {}): Promise<string> {
    const asked = { operation: `exec ${ref}`, params: { id: ref }, body, signal: signalOf(options) };
    return (await call(this.#deps, rows.create, asked)).body.Id;
  }

  /** Starts a created exec and joins its streams. */
  async start(
    id: string,
    options: Listening & { readonly tty?: boolean; readonly size?: TerminalSize | undefined } = {},
  ): Promise<ExecSession> {
    const { tty = false, size } = options;
    const operation = `exec ${id.slice(0, 12)}`;
    const body = { Detach: false, Tty: tty, ...consoleSize(size) };
    const asked = { operation, params: { id }, body, signal: signalOf(options) };
    const connection = await callHijack(this.#deps, rows.start, asked);
    return new ExecSession(id, new HijackedSession(connection, { tty, operation }), {
      inspect: (signal) => this.inspect(id, { signal }),
      resize: (to, signal) => this.resize(id, to, { signal }),
    });
  }

  /** Starts a created exec and lets it run. @throws RequestFailedError when it cannot be started. */
  async startDetached(id: string, options: Listening & { readonly tty?: boolean } = {}): Promise<void> {
    const body = { Detach: true, Tty: options.tty ?? false };
    const asked = { operation: `exec ${id.slice(0, 12)}`, params: { id }, body, signal: signalOf(options) };
    (await callStream(this.#deps, rows.start, asked)).body.resume();
  }

  async inspect(id: string, options: Listening = {}): Promise<ExecInspect> {
    const asked = { operation: `inspect exec ${id.slice(0, 12)}`, params: { id }, signal: signalOf(options) };
    return (await call(this.#deps, rows.inspect, asked)).body;
  }

  async resize(id: string, size: TerminalSize, options: Listening = {}): Promise<void> {
    const query = { h: size.rows, w: size.columns };
    const asked = { operation: `resize exec ${id.slice(0, 12)}`, params: { id }, query, signal: signalOf(options) };
    await call(this.#deps, rows.resize, asked);
  }

  /** Starts a program and joins its streams. */
  async spawn(ref: ContainerRef, command: readonly string[], options: SpawnOptions = {}): Promise<ExecSession> {
    const { tty = false, size } = options;
    const body: ExecBody = {
      ...programOf(command, options),
      AttachStdin: options.stdin ?? false,
      AttachStdout: true,
      AttachStderr: true,
      Tty: tty,
      DetachKeys: options.detachKeys ?? '',
      ...consoleSize(size),
    };
    const id = await this.create(ref, body, options);
    return await this.start(id, { tty, size, signal: options.signal });
  }

  /**
   * Runs a program to its end and gives back what it wrote.
   *
   * @throws ProtocolError when it writes more than `EXEC_OUTPUT_BYTES_MAX`, SessionLostError when there is no exit code.
   */
  async run(ref: ContainerRef, command: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    const { stdin, ...program } = options;
    await using session = await this.spawn(ref, command, { ...program, stdin: stdin !== undefined });
    const [output] = await Promise.all([collect(session.output(), ref), feed(session, stdin)]);
    return { ...output, exitCode: await session.exitCode(signalOf(options)) };
  }
}

function programOf(command: readonly string[], options: SpawnOptions): ExecBody {
  return {
    Cmd: command,
    Env: options.env ?? null,
    User: options.user ?? '',
    WorkingDir: options.workingDir ?? '',
    Privileged: options.privileged ?? false,
  };
}

function consoleSize(size: TerminalSize | undefined): ExecBody {
  return size === undefined ? {} : { ConsoleSize: [size.rows, size.columns] };
}

async function feed(session: ExecSession, stdin: ExecOptions['stdin']): Promise<void> {
  if (typeof stdin === 'string') await session.write(Buffer.from(stdin));
  else for await (const bytes of stdin ?? []) await session.write(bytes);
  session.endInput();
}

async function collect(output: AsyncIterable<OutputChunk>, ref: ContainerRef): Promise<Omit<ExecResult, 'exitCode'>> {
  const chunks: Record<OutputChunk['stream'], Uint8Array[]> = { stdout: [], stderr: [] };
  let bytesHeld = 0;
  for await (const { stream, bytes } of output) {
    bytesHeld += bytes.byteLength;
    if (bytesHeld > EXEC_OUTPUT_BYTES_MAX) {
      throw new ProtocolError(`more than ${EXEC_OUTPUT_BYTES_MAX} bytes of output: use spawn`, {
        operation: `exec ${ref}`,
      });
    }
    chunks[stream].push(bytes);
  }
  return { stdout: Buffer.concat(chunks.stdout), stderr: Buffer.concat(chunks.stderr) };
}
