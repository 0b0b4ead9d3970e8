import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { busyboxImage, dockerArchive } from '@fairlead/testkit';
import { DockerCli } from './docker-cli.ts';
import { EngineProcess, type EngineProgram } from './engine-process.ts';
import { dockerdProgram } from './private-dockerd.ts';
import { fairleadProgram } from './private-fairlead.ts';
import { makeHome, removeHome, type PrivateHome } from './private-home.ts';
import { podmanProgram } from './private-podman.ts';

/** The engines there are here: ours, the one whose behaviour is the measure, and the other one that clients of Docker meet. */
export type EngineKind = 'fairlead' | 'dockerd' | 'podman';

/** Those that the sessions are held with. Podman is for what a client must cope with, not for what an engine should do. */
export type SessionKind = Exclude<EngineKind, 'podman'>;

/** How an engine is started, where that is not always the same. */
export interface EngineOptions {
  /** Registries without TLS, as `127.0.0.1:PORT`. dockerd needs no word for those of the loopback device. */
  readonly insecureRegistries?: readonly string[];
  /** Further arguments: another `--host`, certificates. */
  readonly args?: readonly string[];
  /** In front of its command line: `nsenter --net=PATH`. It has to become the engine's process, not to start one. */
  readonly within?: readonly string[];
}

const PROGRAMS: Readonly<Record<EngineKind, (home: PrivateHome, options: EngineOptions) => EngineProgram>> = {
  fairlead: fairleadProgram,
  dockerd: dockerdProgram,
  podman: (home, { insecureRegistries = [] }) => podmanProgram(home, insecureRegistries),
};
/**
 * The kinds to hold the sessions with: those that `CONFORMANCE` names (`fairlead`, `dockerd`, or both with a comma), else Fairlead. That
 * the expectations are right is proven with `CONFORMANCE=dockerd`; the differential suite asks both in any case.
 * @throws Error for a kind that does not exist.
 */
export function kindsUnderTest(): readonly SessionKind[] {
  return kindsNamed('CONFORMANCE', ['fairlead', 'dockerd']) ?? ['fairlead'];
}

/**
 * The engines to try the client with: those that `CLIENT_ENGINES` names, with commas, else all three.
 * @throws Error for a kind that does not exist.
 */
export function clientKinds(): readonly EngineKind[] {
  const all: readonly EngineKind[] = ['fairlead', 'dockerd', 'podman'];
  return kindsNamed('CLIENT_ENGINES', all) ?? all;
}

function kindsNamed<K extends EngineKind>(variable: string, kinds: readonly K[]): readonly K[] | undefined {
  const named = process.env[variable];
  if (named === undefined || named === '') return undefined;
  return named.split(',').map((name) => {
    const kind = kinds.find((known) => known === name);
    if (kind === undefined) throw new Error(`${variable}=${named}: there is no ${name}, only ${kinds.join(' and ')}`);
    return kind;
  });
}

/** An engine of one's own with `busybox:latest` in it. Disposing ends it and removes whatever it had. */
export class EngineUnderTest implements AsyncDisposable {
  readonly kind: EngineKind;
  readonly socketPath: string;
  /** `unix://` and the path. */
  readonly host: string;
  /** A directory for files of the tests, gone with the engine. */
  readonly directory: string;
  /** `busybox:latest` as `docker save` would write it. */
  readonly imagePath: string;
  readonly docker: DockerCli;
  readonly #home: PrivateHome;
  readonly #program: EngineProgram;
  #process: EngineProcess;

  private constructor(
    kind: EngineKind,
    home: PrivateHome,
    running: { program: EngineProgram; process: EngineProcess },
  ) {
    this.kind = kind;
    this.#home = home;
    this.#program = running.program;
    this.#process = running.process;
    this.host = home.host;
    this.socketPath = home.socketPath;
    this.directory = join(home.directory, 'files');
    this.imagePath = join(this.directory, 'busybox.tar');
    const config = join(home.directory, 'config');
    mkdirSync(config);
    mkdirSync(this.directory);
    this.docker = new DockerCli(home.host, config);
  }

  /** @throws Error with the end of its log when it does not answer, and when it is not installed. */
  static async start(kind: EngineKind, options: EngineOptions = {}): Promise<EngineUnderTest> {
    const home = await makeHome();
    await using undo = new AsyncDisposableStack();
    undo.defer(() => removeHome(home));
    const plain = PROGRAMS[kind](home, options);
    const [command = '', ...args] = [...(options.within ?? []), plain.program, ...plain.args, ...(options.args ?? [])];
    const program = { ...plain, program: command, args };
    const engine = new EngineUnderTest(kind, home, { program, process: undo.use(await EngineProcess.start(program)) });
    writeFileSync(engine.imagePath, await dockerArchive([await busyboxImage()]));
    await engine.docker.ok('load', '-i', engine.imagePath);
    undo.move();
    return engine;
  }

  /** Of the engine itself; another one after a restart. */
  get pid(): number {
    return this.#process.pid;
  }

  /** Ends the engine with SIGKILL. Its containers are on their own then. */
  async kill(): Promise<void> {
    await this.#process.kill();
  }

  /** Starts it again on the same root. */
  async restart(): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
    this.#process = await EngineProcess.start(this.#program);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      const containers = await this.docker.ok('ps', '-aq');
      if (containers !== '') await this.docker.ok('rm', '-f', ...containers.split('\n'));
      // dockerd leaves the bridges of its networks to its next start.
      if (this.kind === 'dockerd') await this.docker.ok('network', 'prune', '-f');
    } finally {
      await this.#process[Symbol.asyncDispose]();
      await removeHome(this.#home);
    }
  }
}
