import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { containerId, execId, isEngineError, type ContainerId } from '@fairlead/protocol';
import type { OciProcess, OciSpec } from '../spec/oci.ts';
import type { ContainerRuntime, CreatedProcess, ExecProcess, ExecRequest, ProcessExit } from './container-runtime.ts';

/**
 * The programs that the suite runs, by what they do. A real runtime runs them in a root file system with a shell, sleep
 * and cat; a fake recognises them by their arguments.
 */
export const SUITE_PROGRAMS: Readonly<Record<SuiteProgram, readonly string[]>> = {
  exits3: ['sh', '-c', 'exit 3'],
  sleeps: ['sleep', '1000'],
  /** Ends with 7 on SIGTERM, once it has written `ready`. */
  ends7OnTerm: ['sh', '-c', 'trap "exit 7" TERM; echo ready; while :; do sleep 0.02; done'],
  prints: ['sh', '-c', 'echo out; echo err >&2; exit 5'],
  copiesInput: ['cat'],
  missing: ['nosuch'],
  missingPath: ['/nosuch'],
  directory: ['/bin'],
};

export type SuiteProgram =
  | 'exits3'
  | 'sleeps'
  | 'ends7OnTerm'
  | 'prints'
  | 'copiesInput'
  | 'missing'
  | 'missingPath'
  | 'directory';

/** A runtime under test, with nothing in it. Disposing removes everything it made. */
export interface RuntimeSubject extends AsyncDisposable {
  readonly runtime: ContainerRuntime;
  /** A container's spec that runs these arguments. */
  spec(id: ContainerId, args: readonly string[]): OciSpec;
  /** The text of the container's log, all streams, without its stamps. */
  logText(id: ContainerId): Promise<string>;
  /** The engine ends without a word and another one starts on the same state. */
  reopen(): Promise<ContainerRuntime>;
  /** Ends the monitor as `kill -9` does. */
  killMonitor(created: CreatedProcess): void;
}

const SIGTERM = 15;
const SIGKILL = 9;
/** Longest that a test waits for what the kernel does in milliseconds. */
const PATIENCE_MS = 10_000;

/** What every container runtime promises, whatever it is made of. */
export function containerRuntimeSuite(name: string, open: () => Promise<RuntimeSubject>): void {
  describe(`${name}: a container`, () => {
    it('runs, ends, and its exit is told once', () => withSubject(open, runsAndEnds));
    it('does nothing before it is started', () => withSubject(open, waitsForStart));
    it('gets signals, and the exit code tells which one ended it', () => withSubject(open, getsSignals));
    it('runs a handler for a signal', () => withSubject(open, handlesSignals));
    it('stops while it is paused and goes on when resumed; both may be repeated', () => withSubject(open, pauses));
    it('is deleted at any time, and again', () => withSubject(open, isDeleted));
    it('runs again under the same id after a delete', () => withSubject(open, runsAgain));
    it('lists its processes, the first one first', () => withSubject(open, listsPids));
  });
  describe(`${name}: a container that cannot start`, () => {
    const cases = [
      { program: 'missing', exitCode: 127, words: 'exec: "nosuch": executable file not found in $PATH: unknown' },
      {
        program: 'missingPath',
        exitCode: 127,
        words: 'exec: "/nosuch": stat /nosuch: no such file or directory: unknown',
      },
      { program: 'directory', exitCode: 126, words: 'exec: "/bin": permission denied: unknown' },
    ] as const;
    for (const { program, exitCode, words } of cases) {
      it(`${program} → ${exitCode}, ${words}`, () =>
        withSubject(open, (subject) => refusesToCreate(subject, { program, exitCode, words })));
      it(`exec of ${program} → ${exitCode}, ${words}`, () =>
        withSubject(open, (subject) => refusesToExec(subject, { program, exitCode, words })));
    }
  });
  describe(`${name}: the engine ends and another one starts`, () => {
    it('a running container is called running, and its exit is told later', () => withSubject(open, survives));
    it('an exit meanwhile is known, and not told again', () => withSubject(open, knowsExitMeanwhile));
    it('a container whose monitor was killed meanwhile is lost, and gone', () => withSubject(open, knowsLoss));
  });
  describe(`${name}: a monitor is killed`, () => {
    it('ends its container, with code 255 and an error', () => withSubject(open, endsWithMonitor));
  });
  describe(`${name}: an exec`, () => {
    it('has its own output, streams apart, and exit code', () => withSubject(open, execs));
    it('reads what is written and the end of input', () => withSubject(open, execReads));
    it('without stdin reads the end at once', () => withSubject(open, execWithoutInput));
    it('goes on when its connection is disposed', () => withSubject(open, execOutlivesConnection));
    it('ends with 137 when its container is killed', () => withSubject(open, execEndsWithContainer));
    it('in a container that has ended is a conflict', () => withSubject(open, execInEnded));
  });
}

/** Makes an id as the engine does. */
export function newId(): ContainerId {
  return containerId(randomBytes(32).toString('hex'));
}

/** Creates a container that runs these arguments; not started. */
export async function createContainer(
  subject: RuntimeSubject,
  args: readonly string[],
  id: ContainerId = newId(),
): Promise<{
  readonly id: ContainerId;
  readonly created: CreatedProcess;
}> {
  const request = { id, spec: subject.spec(id, args), tty: false, openStdin: false, stdinOnce: false, logged: true };
  return { id, created: await subject.runtime.create(request) };
}

/** Creates and starts. */
export async function runContainer(
  subject: RuntimeSubject,
  args: readonly string[],
): Promise<{ readonly id: ContainerId; readonly created: CreatedProcess }> {
  const container = await createContainer(subject, args);
  await subject.runtime.start(container.id);
  return container;
}

/** Starts a process with these arguments in a running container. */
export function execIn(
  subject: RuntimeSubject,
  id: ContainerId,
  options: Partial<ExecRequest> & { readonly args: readonly string[] },
): ExecProcess {
  const { args, ...more } = options;
  const process: OciProcess = { ...subject.spec(id, args).process, args };
  const request = {
    id,
    execId: execId(newId()),
    process,
    tty: false,
    stdin: false,
    detached: false,
    size: undefined,
    ...more,
  };
  return subject.runtime.exec(request);
}

/** Reads an exec to its end. */
export async function readAll(exec: ExecProcess): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const text = { stdout: '', stderr: '' };
  for await (const { stream, bytes } of exec.output) text[stream] += Buffer.from(bytes).toString();
  return text;
}

/** Exits of one container, as they are told. */
export class ExitRecorder implements Disposable {
  readonly exits: ProcessExit[] = [];
  readonly #subscription: Disposable;
  readonly #heard = Promise.withResolvers<ProcessExit>();

  constructor(runtime: ContainerRuntime) {
    this.#subscription = runtime.onExit((exit) => {
      this.exits.push(exit);
      this.#heard.resolve(exit);
    });
  }

  async first(): Promise<ProcessExit> {
    return await within(this.#heard.promise, 'an exit');
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]();
  }
}

/** Fails instead of hanging. */
export async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`no ${what} within ${PATIENCE_MS} ms`)), PATIENCE_MS);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks again until it is so. */
export async function until(isSo: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`not within ${PATIENCE_MS} ms: ${what}`);
    await pause(10);
  }
}

export async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

async function withSubject(
  open: () => Promise<RuntimeSubject>,
  test: (subject: RuntimeSubject) => Promise<void>,
): Promise<void> {
  await using subject = await open();
  await test(subject);
}

async function runsAndEnds(subject: RuntimeSubject): Promise<void> {
  using recorder = new ExitRecorder(subject.runtime);
  const before = Date.now();
  const { id } = await runContainer(subject, SUITE_PROGRAMS.exits3);
  const { at, ...exit } = await recorder.first();
  assert.deepEqual(exit, { id, exitCode: 3, oomKilled: false });
  assert.ok(at.getTime() >= before - 1000 && at.getTime() <= Date.now() + 1000, 'the exit has the time it happened');
  await pause(50);
  assert.equal(recorder.exits.length, 1);
  await subject.runtime.delete(id);
}

async function waitsForStart(subject: RuntimeSubject): Promise<void> {
  const { id } = await createContainer(subject, SUITE_PROGRAMS.prints);
  await pause(50);
  assert.equal(await subject.logText(id), '');
  using recorder = new ExitRecorder(subject.runtime);
  await subject.runtime.start(id);
  assert.equal((await recorder.first()).exitCode, 5);
  assert.deepEqual((await subject.logText(id)).split('\n').toSorted(), ['', 'err', 'out']);
}

async function getsSignals(subject: RuntimeSubject): Promise<void> {
  const { runtime } = subject;
  using recorder = new ExitRecorder(runtime);
  const { id, created } = await runContainer(subject, SUITE_PROGRAMS.sleeps);
  assert.equal(await runtime.signal(created.process, SIGKILL), 'sent');
  assert.equal((await recorder.first()).exitCode, 128 + SIGKILL);
  assert.equal(await runtime.signal(created.process, SIGKILL), 'gone');
  const somebodyElse = { pid: process.pid, startTicks: created.process.startTicks };
  assert.equal(await runtime.signal(somebodyElse, SIGKILL), 'gone');
  await runtime.delete(id);
}

async function handlesSignals(subject: RuntimeSubject): Promise<void> {
  using recorder = new ExitRecorder(subject.runtime);
  const { id, created } = await runContainer(subject, SUITE_PROGRAMS.ends7OnTerm);
  await until(async () => (await subject.logText(id)) === 'ready\n', 'ready in the log');
  await subject.runtime.signal(created.process, SIGTERM);
  assert.equal((await recorder.first()).exitCode, 7);
}

async function pauses(subject: RuntimeSubject): Promise<void> {
  const { runtime } = subject;
  using recorder = new ExitRecorder(runtime);
  const { id, created } = await runContainer(subject, SUITE_PROGRAMS.ends7OnTerm);
  await until(async () => (await subject.logText(id)) === 'ready\n', 'ready in the log');
  await runtime.pause(id);
  await runtime.pause(id);
  await runtime.signal(created.process, SIGTERM);
  await pause(100);
  assert.equal(recorder.exits.length, 0);
  await runtime.resume(id);
  assert.equal((await recorder.first()).exitCode, 7);

  const other = await runContainer(subject, SUITE_PROGRAMS.sleeps);
  await runtime.resume(other.id);
  await runtime.pause(other.id);
  await runtime.delete(other.id);
  assert.deepEqual(await runtime.pids(other.id), []);
}

async function isDeleted(subject: RuntimeSubject): Promise<void> {
  const { runtime } = subject;
  await runtime.delete(newId());
  const created = await createContainer(subject, SUITE_PROGRAMS.sleeps);
  const running = await runContainer(subject, SUITE_PROGRAMS.sleeps);
  using recorder = new ExitRecorder(runtime);
  for (const { id, created: ids } of [created, running]) {
    await runtime.delete(id);
    assert.equal(await runtime.signal(ids.process, 0), 'gone');
    assert.equal(await runtime.signal(ids.monitor, 0), 'gone');
    assert.deepEqual(await runtime.pids(id), []);
    await runtime.delete(id);
  }
  await pause(50);
  assert.deepEqual(recorder.exits, [], 'what delete ends is not told');
}

async function runsAgain(subject: RuntimeSubject): Promise<void> {
  const { id } = await createContainer(subject, SUITE_PROGRAMS.prints);
  for (const run of [1, 2]) {
    using recorder = new ExitRecorder(subject.runtime);
    if (run === 2) await createContainer(subject, SUITE_PROGRAMS.prints, id);
    await subject.runtime.start(id);
    assert.equal((await recorder.first()).exitCode, 5);
    await subject.runtime.delete(id);
    const lines = (await subject.logText(id)).split('\n').filter((line) => line === 'out');
    assert.equal(lines.length, run, 'the log outlives the run');
  }
}

async function listsPids(subject: RuntimeSubject): Promise<void> {
  const { id, created } = await runContainer(subject, SUITE_PROGRAMS.sleeps);
  assert.deepEqual(await subject.runtime.pids(id), [created.process.pid]);
  await using exec = execIn(subject, id, { args: SUITE_PROGRAMS.sleeps });
  const pid = await exec.started;
  assert.deepEqual(await subject.runtime.pids(id), [created.process.pid, pid]);
}

interface Refused {
  readonly program: SuiteProgram;
  readonly exitCode: number;
  readonly words: string;
}

async function refusesToCreate(subject: RuntimeSubject, { program, exitCode, words }: Refused): Promise<void> {
  const id = newId();
  await assert.rejects(createContainer(subject, SUITE_PROGRAMS[program], id), (error: unknown) => {
    assert.ok(isEngineError(error));
    assert.equal(
      error.message,
      `failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: ${words}`,
    );
    assert.equal(error.kind, 'invalid-argument');
    assert.equal(error.details['exitCode'], exitCode);
    return true;
  });
  assert.deepEqual(await subject.runtime.pids(id), []);
}

async function refusesToExec(subject: RuntimeSubject, { program, exitCode, words }: Refused): Promise<void> {
  const { id } = await runContainer(subject, SUITE_PROGRAMS.sleeps);
  const exec = execIn(subject, id, { args: SUITE_PROGRAMS[program] });
  assert.deepEqual(await readAll(exec), { stdout: '', stderr: '' });
  await assert.rejects(exec.started, {
    message: `OCI runtime exec failed: exec failed: unable to start container process: ${words}`,
    kind: 'invalid-argument',
  });
  assert.equal(await exec.exited, exitCode);
  await exec[Symbol.asyncDispose]();
}

async function survives(subject: RuntimeSubject): Promise<void> {
  const { id, created } = await runContainer(subject, SUITE_PROGRAMS.sleeps);
  const next = await subject.reopen();
  using recorder = new ExitRecorder(next);
  assert.deepEqual(await next.fate(id, created), { fate: 'running' });
  assert.deepEqual(await next.pids(id), [created.process.pid]);
  await next.signal(created.process, SIGKILL);
  assert.equal((await recorder.first()).exitCode, 137);
  await next.delete(id);
}

async function knowsExitMeanwhile(subject: RuntimeSubject): Promise<void> {
  const { id, created } = await runContainer(subject, SUITE_PROGRAMS.ends7OnTerm);
  await until(async () => (await subject.logText(id)) === 'ready\n', 'ready in the log');
  const first = subject.runtime;
  const next = await subject.reopen();
  await first.signal(created.process, SIGTERM);
  await until(async () => (await first.signal(created.monitor, 0)) === 'gone', 'the monitor ended');
  using recorder = new ExitRecorder(next);
  const fate = await next.fate(id, created);
  assert.equal(fate.fate, 'exited');
  assert.equal(fate.exit.exitCode, 7);
  await pause(50);
  assert.deepEqual(recorder.exits, []);
  await next.delete(id);
}

async function knowsLoss(subject: RuntimeSubject): Promise<void> {
  const { id, created } = await runContainer(subject, SUITE_PROGRAMS.sleeps);
  const next = await subject.reopen();
  subject.killMonitor(created);
  await until(async () => (await next.signal(created.monitor, 0)) === 'gone', 'the monitor ended');
  assert.deepEqual(await next.fate(id, created), { fate: 'lost' });
  assert.equal(await next.signal(created.process, 0), 'gone');
  await next.delete(id);
}

async function endsWithMonitor(subject: RuntimeSubject): Promise<void> {
  using recorder = new ExitRecorder(subject.runtime);
  const { id, created } = await runContainer(subject, SUITE_PROGRAMS.sleeps);
  subject.killMonitor(created);
  const exit = await recorder.first();
  assert.equal(exit.exitCode, 255);
  assert.match(exit.error ?? '', /monitor/);
  assert.equal(await subject.runtime.signal(created.process, 0), 'gone');
  await subject.runtime.delete(id);
}

async function execs(subject: RuntimeSubject): Promise<void> {
  const { id } = await runContainer(subject, SUITE_PROGRAMS.sleeps);
  await using exec = execIn(subject, id, { args: SUITE_PROGRAMS.prints });
  assert.ok((await exec.started) > 0);
  assert.deepEqual(await readAll(exec), { stdout: 'out\n', stderr: 'err\n' });
  assert.equal(await exec.exited, 5);
}

async function execReads(subject: RuntimeSubject): Promise<void> {
  const { id } = await runContainer(subject, SUITE_PROGRAMS.sleeps);
  await using exec = execIn(subject, id, { args: SUITE_PROGRAMS.copiesInput, stdin: true });
  await exec.write(Buffer.from('hello '));
  await exec.write(Buffer.from('world'));
  await exec.endInput();
  await exec.endInput();
  assert.deepEqual(await readAll(exec), { stdout: 'hello world', stderr: '' });
  assert.equal(await exec.exited, 0);
  await exec.write(Buffer.from('to nobody'));
}

async function execWithoutInput(subject: RuntimeSubject): Promise<void> {
  const { id } = await runContainer(subject, SUITE_PROGRAMS.sleeps);
  await using exec = execIn(subject, id, { args: SUITE_PROGRAMS.copiesInput });
  await exec.write(Buffer.from('to nobody'));
  assert.deepEqual(await readAll(exec), { stdout: '', stderr: '' });
  assert.equal(await exec.exited, 0);
}

async function execOutlivesConnection(subject: RuntimeSubject): Promise<void> {
  const { id } = await runContainer(subject, SUITE_PROGRAMS.sleeps);
  const exec = execIn(subject, id, { args: SUITE_PROGRAMS.prints });
  await exec[Symbol.asyncDispose]();
  assert.equal(await within(exec.exited, 'exit code'), 5);
}

async function execEndsWithContainer(subject: RuntimeSubject): Promise<void> {
  const { id, created } = await runContainer(subject, SUITE_PROGRAMS.sleeps);
  await using exec = execIn(subject, id, { args: SUITE_PROGRAMS.sleeps });
  await exec.started;
  await subject.runtime.signal(created.process, SIGKILL);
  assert.equal(await within(exec.exited, 'exit code'), 137);
  assert.deepEqual(await readAll(exec), { stdout: '', stderr: '' });
}

async function execInEnded(subject: RuntimeSubject): Promise<void> {
  using recorder = new ExitRecorder(subject.runtime);
  const { id } = await runContainer(subject, SUITE_PROGRAMS.exits3);
  await recorder.first();
  await using exec = execIn(subject, id, { args: SUITE_PROGRAMS.prints });
  assert.deepEqual(await readAll(exec), { stdout: '', stderr: '' });
  await assert.rejects(exec.started, { kind: 'conflict' });
  assert.equal(await exec.exited, 128);
}
