import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { connect, type Client, type CreateBody } from '@fairlead/client';
import { clientKinds, EngineUnderTest, type EngineKind } from '../engines.ts';
import type { LocalRegistry } from '../local-registry.ts';
import { CLIENT_DIFFERENCES } from './differences.ts';

/** What the facts about the client are tried with. Every fact makes things of its own names. */
export class ClientSession {
  readonly kind: EngineKind;
  #engine: EngineUnderTest | undefined;
  #client: Client | undefined;
  #names = 0;

  constructor(kind: EngineKind) {
    this.kind = kind;
  }

  async open(registries: readonly LocalRegistry[]): Promise<void> {
    const insecureRegistries = registries.map(({ address }) => address);
    this.#engine = await EngineUnderTest.start(this.kind, { insecureRegistries });
    this.#client = await connect({ host: this.#engine.host, env: { DOCKER_CONFIG: this.#engine.directory } });
  }

  async close(): Promise<void> {
    await this.#client?.[Symbol.asyncDispose]();
    await this.#engine?.[Symbol.asyncDispose]();
  }

  get engine(): EngineUnderTest {
    if (this.#engine === undefined) throw new Error('the engine is not there yet: use it within a test');
    return this.#engine;
  }

  get client(): Client {
    if (this.#client === undefined) throw new Error('the client is not there yet: use it within a test');
    return this.#client;
  }

  /** One that no other fact has. */
  name(): string {
    this.#names += 1;
    return `client-${this.#names}`;
  }

  /** Makes a container without a network, which podman would set up on the machine itself. @returns its name. */
  async made(body: CreateBody = {}, command: readonly string[] = ['sleep', '1000']): Promise<string> {
    const name = this.name();
    const HostConfig = { NetworkMode: 'none', ...body.HostConfig };
    await this.client.containers.create({ Image: 'busybox', Cmd: command, ...body, HostConfig }, { name });
    return name;
  }

  /** Makes one and starts it. @returns its name. */
  async running(body: CreateBody = {}, command: readonly string[] = ['sleep', '1000']): Promise<string> {
    const name = await this.made(body, command);
    await this.client.containers.start(name);
    return name;
  }
}

/** Declares a fact; where an engine is known not to keep to it, that it does not. */
export type Fact = (title: string, check: () => Promise<void>) => void;

/** Facts of a file that are looked at together: most of them wait for the engine. */
const AT_ONCE = 4;

/** What a file of facts needs besides the engines. */
export interface ClientSessionOptions {
  readonly kinds?: readonly EngineKind[];
  /** Started before the engines, and ended after them. */
  readonly registries?: () => readonly LocalRegistry[];
}

/** Declares the facts of a file once for each engine under test. */
export function clientSessions(
  title: string,
  declare: (session: ClientSession, fact: Fact) => void,
  options: ClientSessionOptions = {},
): void {
  const { kinds = clientKinds(), registries = () => [] } = options;
  for (const kind of kinds) {
    describe(`${title}, with ${kind}`, { concurrency: AT_ONCE }, () => {
      const session = new ClientSession(kind);
      before(() => session.open(registries()));
      after(() => session.close());
      declare(session, (fact, check) => {
        const known = CLIENT_DIFFERENCES.find(({ engine, fact: start }) => engine === kind && fact.startsWith(start));
        if (known === undefined) it(fact, check);
        else it(`not so: ${fact}: ${known.because}`, () => assert.rejects(check));
      });
    });
  }
}
