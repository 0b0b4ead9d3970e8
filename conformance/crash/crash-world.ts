import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { busyboxImage, dockerArchive } from '@fairlead/testkit';
import { EngineProcess } from '../engine-process.ts';
import { fairleadProgram } from '../private-fairlead.ts';
import { makeHome, removeEmptyCgroups, removeHome, type PrivateHome } from '../private-home.ts';
import { ask, type HttpAnswer, type HttpQuestion } from '../raw-http.ts';
import { disagreements, wrongEvents, type ShownContainer, type ToldEvent } from './agreement.ts';
import { viewKernel, type KernelView } from './kernel-view.ts';

/** How long kernel, init and monitors may take to clear away what has ended. */
const SETTLE_WITHIN_MS = 4_000;
const POLL_MS = 25;
/** How long a planned crash may take to come once the verb is over: work behind an answer goes on for a while. */
const CRASH_WITHIN_MS = 150;

/** One root, one image, and engines on it, one after the other, that die where they are told to. */
export class CrashWorld implements AsyncDisposable {
  readonly home: PrivateHome;
  readonly cgroupParent: string;
  readonly #armed: string;
  readonly #trace: string;
  #engine: EngineProcess | undefined;
  #eventsSince = 0;
  /** Of the engine that runs. */
  #plan: string | undefined;

  private constructor(home: PrivateHome) {
    this.home = home;
    this.cgroupParent = home.directory.slice(home.directory.lastIndexOf('/') + 1);
    this.#armed = join(home.directory, 'armed');
    this.#trace = join(home.directory, 'trace');
  }

  /** Makes a root with `busybox:latest` in it, on a disk of its own of so many bytes if asked for; no engine runs then. */
  static async open({ diskBytes }: { readonly diskBytes?: number } = {}): Promise<CrashWorld> {
    const home = await makeHome();
    await using undo = new AsyncDisposableStack();
    undo.defer(() => removeHome(home));
    const world = undo.use(new CrashWorld(home));
    if (diskBytes !== undefined) {
      mkdirSync(home.root);
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${diskBytes}`, 'tmpfs', home.root]);
    }
    await world.start();
    await world.need('POST /images/load', { body: await dockerArchive([await busyboxImage()]) });
    await world.kill();
    undo.move();
    return world;
  }

  /** Starts an engine. `rule` is of its fault plan, and counts from {@link arm} on; without one it has no plan. */
  async start(rule?: string): Promise<void> {
    const env = rule === undefined ? undefined : { FAIRLEAD_FAULTS: `when ${this.#armed}; ${rule}` };
    this.#engine = await EngineProcess.start({ ...fairleadProgram(this.home), ...(env === undefined ? {} : { env }) });
    this.#plan = rule;
  }

  /** The engine with this plan: the one that runs if it has it, else another one in its place. */
  async switchTo(rule: string): Promise<void> {
    if (this.#plan === rule) return;
    await this.kill();
    await this.start(rule);
  }

  /** Switches to an engine that counts and never dies by itself. */
  async switchToTracing(): Promise<void> {
    await this.switchTo(`trace ${this.#trace}`);
  }

  /** What an engine says that does not start; undefined when it does. */
  async refusalOfStart(): Promise<string | undefined> {
    try {
      await this.start();
    } catch (error) {
      return String(error);
    }
    await this.kill();
    return undefined;
  }

  /** Starts an engine whose plan counts from its first step on. @returns whether it died before it answered. */
  async startArmed(rule: string): Promise<boolean> {
    this.arm();
    try {
      await this.start(rule);
      return !(await this.#alive().endsWithin(CRASH_WITHIN_MS)) ? (this.disarm(), false) : true;
    } catch {
      return true;
    } finally {
      this.disarm();
    }
  }

  /** The names of the checkpoints that `work` passes in the engine of {@link switchToTracing}, or in one that it starts itself. */
  async traced(work: () => Promise<void>): Promise<readonly string[]> {
    rmSync(this.#trace, { force: true });
    writeFileSync(this.#trace, '');
    this.arm();
    await work();
    for (let before = -1; before !== this.#traceLines().length; await sleep(CRASH_WITHIN_MS))
      before = this.#traceLines().length;
    this.disarm();
    return this.#traceLines();
  }

  arm(): void {
    writeFileSync(this.#armed, '');
  }

  disarm(): void {
    rmSync(this.#armed, { force: true });
  }

  /** Whether the engine has died by its plan; it gets a moment for work that goes on behind an answer. */
  async hasCrashed(): Promise<boolean> {
    const crashed = await this.#alive().endsWithin(CRASH_WITHIN_MS);
    this.disarm();
    if (crashed) this.#plan = undefined;
    return crashed;
  }

  /** SIGKILL, wherever it is. None there is success. */
  async kill(): Promise<void> {
    this.#plan = undefined;
    await this.#engine?.kill();
  }

  async ask(target: string, question: HttpQuestion = {}): Promise<HttpAnswer> {
    return await ask(this.home.socketPath, target, question);
  }

  /** Asks for what has to be granted. @throws Error with the engine's words when it is not. */
  async need(target: string, question: HttpQuestion = {}): Promise<string> {
    const { status, body } = await this.ask(target, question);
    if (status >= 400) throw new Error(`${target}: ${status} ${body.trim()}`);
    return body;
  }

  async containers(): Promise<readonly ShownContainer[]> {
    const listed = JSON.parse(await this.need('GET /containers/json?all=1')) as readonly { readonly Id: string }[];
    const shown = await Promise.all(listed.map(({ Id }) => this.ask(`GET /containers/${Id}/json`)));
    return shown.filter(({ status }) => status === 200).map(({ body }) => JSON.parse(body) as ShownContainer);
  }

  /** What is told from now on is what {@link events} is about. */
  forgetEvents(): void {
    this.#eventsSince = Date.now() / 1000;
  }

  async events(): Promise<readonly ToldEvent[]> {
    const [since, until] = [this.#eventsSince, Date.now() / 1000].map((seconds) => seconds.toFixed(3));
    const lines = (await this.need(`GET /events?since=${since}&until=${until}`))
      .split('\n')
      .filter((line) => line !== '');
    return lines.map((line) => JSON.parse(line) as ToldEvent);
  }

  kernel(): KernelView {
    return viewKernel({ root: this.home.root, cgroupParent: this.cgroupParent });
  }

  /** Everything in which engine and kernel differ once both have settled. */
  async differences(): Promise<readonly string[]> {
    const until = performance.now() + SETTLE_WITHIN_MS;
    for (;;) {
      const containers = await this.containers();
      const wrong = [...disagreements(this.kernel(), containers), ...wrongEvents(await this.events(), containers)];
      if (wrong.length === 0 || performance.now() > until) return wrong;
      await sleep(POLL_MS);
    }
  }

  /** Stops the engine in good order; its containers go on. */
  async stop(): Promise<void> {
    this.#plan = undefined;
    await this.#alive()[Symbol.asyncDispose]();
  }

  async inspect(name: string): Promise<ShownContainer> {
    return JSON.parse(await this.need(`GET /containers/${name}/json`)) as ShownContainer;
  }

  /** The end of the engine's log, for whoever reads a failure. */
  logTail(lines: number): string {
    return readFileSync(join(this.home.directory, 'log'), 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.disarm();
    await this.#engine?.[Symbol.asyncDispose]();
    await removeHome(this.home);
    removeEmptyCgroups(this.cgroupParent);
  }

  #alive(): EngineProcess {
    if (this.#engine === undefined) throw new Error('no engine was started');
    return this.#engine;
  }

  #traceLines(): readonly string[] {
    return readFileSync(this.#trace, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
  }
}
