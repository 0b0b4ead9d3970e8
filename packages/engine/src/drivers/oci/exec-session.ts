import { EngineError } from '@fairlead/protocol';
import type { OutputChunk, TerminalSize } from '../../core/ports/console.ts';
import type { ExecProcess, ExecRequest } from '../../core/ports/container-runtime.ts';
import { findProcess, signalProcess } from '../../host/proc.ts';
import { launchExec, type LaunchDeps, type LaunchedExec } from './exec-launch.ts';
import { parseKeeperReport } from './keeper-report.ts';
import type { ExecTransport } from './exec-transport.ts';
import { runtimeFailure } from './runtime-failure.ts';

const SIGKILL = 9;
/** Of a start that failed before the runtime could say anything. Source: engine-api 5.6. */
const EXIT_CODE_OTHER = 128;

/** One exec, from the call of the runtime to the last byte. */
export class ExecSession implements ExecProcess {
  readonly started: Promise<number>;
  readonly exited: Promise<number>;
  readonly output: AsyncIterable<OutputChunk>;
  readonly #deps: LaunchDeps;
  readonly #request: ExecRequest;
  readonly #start = Promise.withResolvers<number>();
  /** Undefined when the start failed before there was one. */
  readonly #transport: Promise<ExecTransport | undefined>;
  #size: TerminalSize | undefined;
  #ended = false;
  #resizable: ExecTransport | undefined;

  constructor(deps: LaunchDeps, request: ExecRequest) {
    this.#deps = deps;
    this.#request = request;
    this.started = this.#start.promise;
    // Whoever cares awaits `started`; nobody else is to be told by a crash.
    this.started.catch(() => {});
    const launched = this.#launch();
    this.#transport = launched.then(
      ({ transport }) => transport,
      () => undefined,
    );
    this.exited = this.#follow(launched);
    this.output = { [Symbol.asyncIterator]: () => this.#pull() };
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (!this.#request.stdin) return;
    const transport = await this.#transport;
    await transport?.write(bytes);
  }

  async endInput(): Promise<void> {
    const transport = await this.#transport;
    transport?.endInput();
  }

  resize(size: TerminalSize): void {
    if (!this.#request.tty) return;
    this.#size = size;
    this.#resizable?.resize(size);
  }

  async kill(): Promise<void> {
    const pid = await this.started.catch(() => undefined);
    if (pid === undefined || this.#ended) return;
    // The runtime has not collected it yet, so the pid is still its own.
    const process = findProcess(pid);
    if (process !== undefined) signalProcess(process, SIGKILL);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const transport = await this.#transport;
    transport?.discard();
  }

  async #launch(): Promise<LaunchedExec> {
    const { command } = this.#deps;
    if (!this.#request.process.cwd.startsWith('/')) throw this.#failure('exec failed: Cwd must be an absolute path');
    try {
      const launched = await launchExec(this.#deps, this.#request, (pid) => this.#start.resolve(pid));
      this.#resizable = launched.transport;
      if (this.#size !== undefined) launched.transport?.resize(this.#size);
      return launched;
    } catch (cause) {
      throw new EngineError('unavailable', `OCI runtime ${command.path} could not be run`, {
        cause,
        details: { exitCode: EXIT_CODE_OTHER },
      });
    }
  }

  /** @returns the exit code, of the program or of the start that failed. Never rejects. */
  async #follow(launching: Promise<LaunchedExec>): Promise<number> {
    try {
      const { program, transport, report: pipe } = await launching;
      using report = pipe;
      const { exitCode } = await program.exited;
      this.#ended = true;
      const { pid, log } = parseKeeperReport(report.takeText());
      if (pid === undefined) {
        transport?.close();
        throw this.#failure(log);
      }
      this.#start.resolve(pid);
      transport?.processEnded();
      return exitCode;
    } catch (error) {
      this.#start.reject(error);
      return exitCodeOf(error);
    }
  }

  /** What the runtime itself prints, when it cannot start the program, is not the program's output. */
  async *#pull(): AsyncGenerator<OutputChunk, void, undefined> {
    const transport = await this.#transport;
    const isStarted = await this.started.then(
      () => true,
      () => false,
    );
    if (transport === undefined || !isStarted) return;
    try {
      for (let chunk = await transport.next(); chunk !== undefined; chunk = await transport.next()) yield chunk;
    } finally {
      transport.discard();
    }
  }

  #failure(report: string): EngineError {
    return runtimeFailure(report, { operation: 'exec', program: this.#request.process.args[0] ?? '' });
  }
}

function exitCodeOf(error: unknown): number {
  const code = error instanceof EngineError ? error.details['exitCode'] : undefined;
  return typeof code === 'number' ? code : EXIT_CODE_OTHER;
}
