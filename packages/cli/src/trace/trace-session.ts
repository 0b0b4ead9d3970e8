import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@fairlead/client';
import type { BodyWishes } from './body-keeper.ts';
import { findingText } from './findings-text.ts';
import { FollowUps } from './follow-ups.ts';
import type { LineWriter } from './line-writer.ts';
import { type ListenAddress, type Proxy, startProxy } from './proxy.ts';
import { encodeEvent } from './recording-file.ts';
import { redactCommand } from './redact.ts';
import { RecordingBuilder } from './recording.ts';
import { report, type ReportFormat, settledFindings } from './report.ts';
import { Timeline } from './timeline.ts';
import { TRACE_FORMAT, type TraceEvent } from './trace-event.ts';
import { type CommandEnd, runTraced } from './traced-command.ts';

/** What every trace is told. */
export interface TraceOptions {
  readonly engine: Client;
  readonly wishes: BodyWishes;
  readonly format: ReportFormat;
  /** Where the report goes. */
  readonly output: LineWriter;
  /** Print while it goes on, not at the end. */
  readonly live: boolean;
  /** Where the recording goes. */
  readonly save: LineWriter | undefined;
  /** Longest wait for what becomes of a container. */
  readonly lookMs: number;
  /** Tells the person something beside the report. */
  readonly tell: (line: string) => void;
}

/** How long connections may take to end when the command has ended; those of a process it left behind may never. */
const SETTLE_MS = 1000;
/** Lines of a timeline that are kept until the end. */
const LINES_MAX = 100_000;

/** Runs a command with its conversation recorded, and reports when it has ended. @throws ExitError when it cannot be run. */
export async function traceProgram(
  command: readonly string[],
  env: NodeJS.ProcessEnv,
  options: TraceOptions,
): Promise<CommandEnd> {
  const directory = await mkdtemp(join(tmpdir(), 'fairlead-trace-'));
  await using undo = new AsyncDisposableStack();
  undo.defer(() => rm(directory, { recursive: true, force: true }));
  const path = join(directory, 'docker.sock');
  const recorder = undo.use(new Recorder(options));
  const proxy = undo.use(await recorder.listen({ scheme: 'unix', path }, command));
  const end = await runTraced(command, `unix://${path}`, env);
  await proxy.idle(SETTLE_MS);
  await recorder.finish(end, proxy.openConnections);
  return end;
}

/** Listens for clients until the signal, and reports as it goes. */
export async function traceListening(listen: ListenAddress, options: TraceOptions, until: AbortSignal): Promise<void> {
  await using recorder = new Recorder(options);
  await using proxy = await recorder.listen(listen, []);
  options.tell(
    `fairlead trace: DOCKER_HOST=${addressText(listen)} leads to ${options.engine.address}; end with Ctrl-C`,
  );
  if (!until.aborted) await new Promise((resolve) => until.addEventListener('abort', resolve, { once: true }));
  await recorder.finish(undefined, proxy.openConnections);
}

function addressText(address: ListenAddress): string {
  return address.scheme === 'unix' ? `unix://${address.path}` : `tcp://${address.hostname}:${address.port}`;
}

/** Prints a recording again. */
export function replay(events: Iterable<TraceEvent>, format: ReportFormat): string {
  const timeline = new Timeline();
  const builder = new RecordingBuilder();
  const lines: string[] = [];
  for (const event of events) {
    builder.add(event);
    if (format === 'text') lines.push(...timeline.add(event));
  }
  return [...lines.map((line) => `${line}\n`), report(builder.recording(), format)].join('');
}

/** Hands every event on to whoever wants it: the recording, the timeline, the file, the follow-ups. */
class Recorder implements AsyncDisposable {
  readonly #options: TraceOptions;
  readonly #startedMs = performance.now();
  readonly #builder = new RecordingBuilder();
  readonly #timeline = new Timeline();
  readonly #followUps: FollowUps;
  readonly #lines: string[] = [];
  readonly #told = new Set<string>();
  #isOver = false;

  constructor(options: TraceOptions) {
    this.#options = options;
    this.#followUps = new FollowUps({ engine: options.engine, limitMs: options.lookMs, ...this.#clock() });
  }

  async listen(listen: ListenAddress, command: readonly string[]): Promise<Proxy> {
    const { engine, wishes } = this.#options;
    const shown = wishes.secrets ? command : redactCommand(command);
    const startedAt = new Date().toISOString();
    this.#add({ type: 'begin', format: TRACE_FORMAT, startedAt, engine: engine.address, command: shown, atMs: 0 });
    return await startProxy({ listen, engine, wishes, ...this.#clock() });
  }

  /** Waits for what is still to be found out, and prints what is left. SIGINT and SIGTERM cut the waiting short. */
  async finish(end: CommandEnd | undefined, openConnections: number): Promise<void> {
    const { output, save, live, format } = this.#options;
    const exitCode = end?.exitCode ?? null;
    this.#add({
      type: 'finish',
      exitCode,
      interrupted: end?.interrupted ?? false,
      openConnections,
      atMs: this.#nowMs(),
    });
    if (this.#followUps.waitingFor > 0) await this.#waitForFollowUps();
    await this.#followUps.askExitCodes(this.#builder.recording());
    this.#isOver = true;
    if (!live) for (const line of this.#lines) output.write(`${line}\n`);
    if (!live || format !== 'json') output.write(report(this.#builder.recording(), format));
    await Promise.all([output.done(), save?.done()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#followUps[Symbol.asyncDispose]();
  }

  async #waitForFollowUps(): Promise<void> {
    this.#options.tell('fairlead trace: looking at what becomes of the container (Ctrl-C: stop looking)');
    const giveUp = (): void => this.#followUps.giveUp();
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, giveUp);
    await this.#followUps.done();
    for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, giveUp);
  }

  #add(event: TraceEvent): void {
    // Connections that are cut off with the trace are not part of it.
    if (this.#isOver) return;
    this.#builder.add(event);
    this.#followUps.consider(event, this.#builder);
    const { format, live, output, save } = this.#options;
    save?.write(encodeEvent(event));
    if (live && format === 'json') output.write(encodeEvent(event));
    if (format !== 'text') return;
    const lines = this.#timeline.add(event);
    if (!live) return this.#keep(lines);
    for (const line of lines) output.write(`${line}\n`);
    this.#tellSettled(event);
  }

  #keep(lines: readonly string[]): void {
    if (this.#lines.length < LINES_MAX) this.#lines.push(...lines);
    else this.#lines[LINES_MAX] = '          (there are more lines than are kept: --save has them all)';
  }

  /** What a connection that is over shows, once. */
  #tellSettled(event: TraceEvent): void {
    const connection =
      event.type === 'closed'
        ? event.connection
        : event.type === 'look'
          ? this.#builder.exchange(event.exchange)?.connection
          : undefined;
    if (connection === undefined) return;
    for (const finding of settledFindings(this.#builder.recording(connection))) {
      const key = `${finding.id} ${finding.connection} ${finding.exchange}`;
      if (this.#told.has(key)) continue;
      this.#told.add(key);
      this.#options.output.write(`${findingText(finding)}\n`);
    }
  }

  #clock(): { readonly nowMs: () => number; readonly tell: (event: TraceEvent) => void } {
    return { nowMs: () => this.#nowMs(), tell: (event) => this.#add(event) };
  }

  /** To the microsecond: more digits are noise. */
  #nowMs(): number {
    return Math.round((performance.now() - this.#startedMs) * 1000) / 1000;
  }
}
