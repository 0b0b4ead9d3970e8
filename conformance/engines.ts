import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { busyboxImage, dockerArchive } from '@fairlead/testkit';
import { DockerCli } from './docker-cli.ts';
import { EngineProcess, type EngineProgram } from './engine-process.ts';
import { dockerdProgram } from './private-dockerd.ts';
import { fairleadProgram } from './private-fairlead.ts';
import { makeHome, removeEmptyCgroups, removeHome, type PrivateHome } from './private-home.ts';

/** What the sessions are held with: ours, and the one whose behaviour is the measure. */
export type EngineKind = 'fairlead' | 'dockerd';

const KINDS: readonly EngineKind[] = ['fairlead', 'dockerd'];
const PROGRAMS: Readonly<Record<EngineKind, (home: PrivateHome) => EngineProgram>> = {
  fairlead: fairleadProgram,
  dockerd: dockerdProgram,
};
/** Below which cgroup each keeps those of its containers. */
const CGROUP_PARENTS: Readonly<Record<EngineKind, string>> = { fairlead: 'fairlead', dockerd: 'docker' };

/**
 * The kinds to hold the sessions with: those that `CONFORMANCE` names (`fairlead`, `dockerd`, or both with a comma), else Fairlead. That
 * the expectations are right is proven with `CONFORMANCE=dockerd`; the differential suite asks both in any case.
 * @throws Error for a kind that does not exist.
 */
export function kindsUnderTest(): readonly EngineKind[] {
  const named = process.env['CONFORMANCE'];
  if (named === undefined || named === '') return ['fairlead'];
  return named.split(',').map((name) => {
    const kind = KINDS.find((known) => known === name);
    if (kind === undefined) throw new Error(`CONFORMANCE=${named}: there is no ${name}, only ${KINDS.join(' and ')}`);
    return kind;
  });
}

/** An engine of one's own with `busybox:latest` in it. Disposing ends it and removes whatever it had. */
export class EngineUnderTest implements AsyncDisposable {
  readonly kind: EngineKind;
  readonly socketPath: string;
  /** A directory for files of the tests, gone with the engine. */
  readonly directory: string;
  /** `busybox:latest` as `docker save` would write it. */
  readonly imagePath: string;
  readonly docker: DockerCli;
  readonly #home: PrivateHome;
  #process: EngineProcess;

  private constructor(kind: EngineKind, home: PrivateHome, started: EngineProcess) {
    this.kind = kind;
    this.#home = home;
    this.#process = started;
    this.socketPath = home.socketPath;
    this.directory = join(home.directory, 'files');
    this.imagePath = join(this.directory, 'busybox.tar');
    const config = join(home.directory, 'config');
    mkdirSync(config);
    mkdirSync(this.directory);
    this.docker = new DockerCli(home.host, config);
  }

  /** @throws Error with the end of its log when it does not answer, and when it is not installed. */
  static async start(kind: EngineKind): Promise<EngineUnderTest> {
    const home = await makeHome();
    await using undo = new AsyncDisposableStack();
    undo.defer(() => removeHome(home));
    const engine = new EngineUnderTest(kind, home, undo.use(await EngineProcess.start(PROGRAMS[kind](home))));
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
    this.#process = await EngineProcess.start(PROGRAMS[this.kind](this.#home));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      const containers = await this.docker.ok('ps', '-aq');
      if (containers !== '') await this.docker.ok('rm', '-f', ...containers.split('\n'));
    } finally {
      await this.#process[Symbol.asyncDispose]();
      await removeHome(this.#home);
      removeEmptyCgroups(CGROUP_PARENTS[this.kind]);
    }
  }
}
