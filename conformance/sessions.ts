import { after, before, describe } from 'node:test';
import type { DockerCli } from './docker-cli.ts';
import { EngineUnderTest, kindsUnderTest, type SessionKind } from './engines.ts';
import { ask, type HttpAnswer, type HttpQuestion } from './raw-http.ts';

/** Tests of a file that run at the same time: most of them wait for a client or a container. */
const AT_ONCE = 4;

/** What a session works with. Every test makes containers of its own names. */
export class Session {
  readonly kind: SessionKind;
  #engine: EngineUnderTest | undefined;
  #names = 0;

  constructor(kind: SessionKind) {
    this.kind = kind;
  }

  async open(): Promise<void> {
    this.#engine = await EngineUnderTest.start(this.kind);
  }

  async close(): Promise<void> {
    await this.#engine?.[Symbol.asyncDispose]();
  }

  get engine(): EngineUnderTest {
    if (this.#engine === undefined) throw new Error('the engine is not there yet: use it within a test');
    return this.#engine;
  }

  get docker(): DockerCli {
    return this.engine.docker;
  }

  /** One that no other test has. */
  name(): string {
    this.#names += 1;
    return `session-${this.#names}`;
  }

  /** Runs a container in the background: `sleep 1000`, unless `command` says what. @returns its name. */
  async background(options: readonly string[] = [], command: readonly string[] = ['sleep', '1000']): Promise<string> {
    const name = this.name();
    await this.docker.ok('run', '-d', '--name', name, ...options, 'busybox', ...command);
    return name;
  }

  /** What is expected where the two differ. */
  differs<T>(expected: Readonly<Record<SessionKind, T>>): T {
    return expected[this.kind];
  }

  async ask(target: string, question?: HttpQuestion): Promise<HttpAnswer> {
    return await ask(this.engine.socketPath, target, question);
  }

  /** One value of `docker inspect`, by a template. */
  async inspect(name: string, template: string): Promise<string> {
    return await this.docker.ok('inspect', '-f', template, name);
  }
}

/** For a file whose tests are about more than containers of their own. */
export interface SessionOptions {
  /** Default: `kindsUnderTest`. */
  readonly kinds?: readonly SessionKind[];
  /** Default: four. */
  readonly atOnce?: number;
}

/** Declares the tests of a file once for each engine under test. */
export function sessions(title: string, declare: (session: Session) => void, options: SessionOptions = {}): void {
  const { kinds = kindsUnderTest(), atOnce = AT_ONCE } = options;
  for (const kind of kinds) {
    describe(`${title}, with ${kind}`, { concurrency: atOnce }, () => {
      const session = new Session(kind);
      before(() => session.open());
      after(() => session.close());
      declare(session);
    });
  }
}

/** For what is a promise of Fairlead's own: nothing to compare it with. */
export const FAIRLEAD_ALONE: readonly SessionKind[] = kindsUnderTest().filter((kind) => kind === 'fairlead');
