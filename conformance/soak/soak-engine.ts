import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { busyboxImage, dockerArchive } from '@fairlead/testkit';
import { disagreements, type ShownContainer } from '../crash/agreement.ts';
import { viewKernel } from '../crash/kernel-view.ts';
import { EngineProcess } from '../engine-process.ts';
import { fairleadProgram } from '../private-fairlead.ts';
import { makeHome, removeEmptyCgroups, removeHome, type PrivateHome } from '../private-home.ts';
import { ask, type HttpQuestion } from '../raw-http.ts';

/** In bytes, after a collection of the garbage. `external` includes the array buffers. */
export interface Memory {
  readonly rss: number;
  readonly heapUsed: number;
  readonly heapTotal: number;
  readonly external: number;
  readonly arrayBuffers: number;
}

/** What the engine's process holds when nothing is under way. */
export interface Holdings {
  readonly memory: Memory;
  readonly resources: Readonly<Record<string, number>>;
  readonly descriptors: Readonly<Record<string, number>>;
  /** Open sockets, a line each, for whoever looks into a leak. */
  readonly sockets: readonly string[];
}

const SETTLE_WITHIN_MS = 20_000;
const POLL_MS = 100;
const PAGE_BYTES = 4096;

/** A private engine that can be asked what it holds. */
export class SoakEngine implements AsyncDisposable {
  readonly home: PrivateHome;
  readonly cgroupParent: string;
  readonly #process: EngineProcess;
  readonly #probe: string;

  private constructor(home: PrivateHome, started: EngineProcess, probe: string) {
    this.home = home;
    this.cgroupParent = home.directory.slice(home.directory.lastIndexOf('/') + 1);
    this.#process = started;
    this.#probe = probe;
  }

  /** With `busybox:latest`. */
  static async start(): Promise<SoakEngine> {
    const home = await makeHome();
    await using undo = new AsyncDisposableStack();
    undo.defer(() => removeHome(home));
    mkdirSync(home.root);
    const probe = join(home.directory, 'probe');
    const program = fairleadProgram(home);
    const hooks = ['--expose-gc', '--import', join(import.meta.dirname, 'engine-probe.ts')];
    const started = await EngineProcess.start({
      ...program,
      args: [...hooks, ...program.args],
      env: { SOAK_PROBE: probe },
    });
    const engine = undo.use(new SoakEngine(home, started, probe));
    await engine.need('POST /images/load', { body: await dockerArchive([await busyboxImage()]) });
    undo.move();
    return engine;
  }

  get pid(): number {
    return this.#process.pid;
  }

  residentBytes(): number {
    const [, pages = '0'] = readFileSync(`/proc/${this.pid}/statm`, 'utf8').split(' ');
    return Number(pages) * PAGE_BYTES;
  }

  descriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  /** Removes whatever the clients have made, and waits until engine and kernel have settled. @returns what is left all the same. */
  async clear(): Promise<readonly string[]> {
    for (const { Id } of JSON.parse(await this.need('GET /containers/json?all=1')) as readonly {
      readonly Id: string;
    }[]) {
      // AutoRemove may be faster.
      await ask(this.home.socketPath, `DELETE /containers/${Id}?force=1&v=1`);
    }
    const images = JSON.parse(await this.need('GET /images/json')) as readonly {
      readonly Id: string;
      readonly RepoTags: readonly string[];
    }[];
    for (const { Id, RepoTags } of images) {
      if (!RepoTags.includes('busybox:latest')) await ask(this.home.socketPath, `DELETE /images/${Id}?force=1`);
    }
    await this.need('POST /volumes/prune?filters={"all":["1"]}');
    const until = performance.now() + SETTLE_WITHIN_MS;
    for (;;) {
      const left = await this.#left();
      if (left.length === 0 || performance.now() > until) return left;
      await sleep(POLL_MS);
    }
  }

  /** After a collection of its garbage. */
  async holdings(): Promise<Holdings> {
    rmSync(this.#probe, { force: true });
    process.kill(this.pid, 'SIGUSR2');
    while (!existsSync(this.#probe) || readFileSync(this.#probe, 'utf8') === '') await sleep(POLL_MS);
    await sleep(POLL_MS);
    return JSON.parse(readFileSync(this.#probe, 'utf8')) as Holdings;
  }

  async need(target: string, question: HttpQuestion = {}): Promise<string> {
    const { status, body } = await ask(this.home.socketPath, target, question);
    if (status >= 400) throw new Error(`${target}: ${status} ${body.trim()}`);
    return body;
  }

  /** Failures that the engine has written down of itself. */
  failures(): readonly string[] {
    const lines = readFileSync(join(this.home.directory, 'log'), 'utf8').split('\n');
    const bad = lines.filter((line) => line.includes('"level":"error"') || line.includes('"level":"fatal"'));
    // Refusals are the clients' to judge: they got the same words.
    return bad.filter((line) => !/"event":"api.request.failed"/.test(line) || /\/logs/.test(line));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
    await removeHome(this.home);
    removeEmptyCgroups(this.cgroupParent);
  }

  async #left(): Promise<readonly string[]> {
    const shown = JSON.parse(await this.need('GET /containers/json?all=1')) as readonly { readonly Id: string }[];
    const containers = await Promise.all(
      shown.map(async ({ Id }) => JSON.parse(await this.need(`GET /containers/${Id}/json`)) as ShownContainer),
    );
    const kernel = viewKernel({ root: this.home.root, cgroupParent: this.cgroupParent });
    const layers = readdirSync(join(this.home.root, 'layers')).filter((name) => /^[0-9a-z]{6}$/.test(name)).length;
    const blobs = readdirSync(join(this.home.root, 'content/sha256')).length;
    const volumes = readdirSync(join(this.home.root, 'volumes')).length;
    return [
      ...containers.map(({ Name, State }) => `container ${Name} is ${State.Status}`),
      ...disagreements(kernel, containers),
      ...kernel.mounts.map((path) => `mount ${path}`),
      ...(layers === 1 && blobs === 2 ? [] : [`${layers} layers and ${blobs} blobs of one image of one layer`]),
      ...(volumes === 0 ? [] : [`${volumes} volumes`]),
      ...zombiesOf(this.pid),
    ];
  }
}

/** Children that ended and were not collected. */
function zombiesOf(pid: number): readonly string[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return children.split(' ').flatMap((child) => {
    if (child === '' || !existsSync(`/proc/${child}/stat`)) return [];
    const stat = readFileSync(`/proc/${child}/stat`, 'utf8');
    return stat.includes(') Z ') ? [`zombie ${stat.slice(0, 60)}`] : [];
  });
}
