import { setImmediate as turn } from 'node:timers/promises';
import { FakeEngine, type FakeRequest, json } from '../fake-engine.fixture.ts';

const RUNNING = { Running: true, ExitCode: 0, StartedAt: '2026-01-01T00:00:00Z' };

/** How the engine behaves that is asked to stop a container. */
export interface StopBehaviour {
  /** Keeps a ledger. */
  readonly isFairlead?: boolean;
  /** The container's own grace, in seconds. */
  readonly stopTimeout?: number;
  /** What it does with a stop; by default it is silent until `exit` is called. */
  readonly onStop?: (request: FakeRequest) => void;
  /** Does not answer what it is asked about the container. */
  readonly isMute?: boolean;
}

/** An engine with one container called web that is asked to stop, and stops when a test says so. */
export class StopEngine extends FakeEngine {
  readonly #waiting: (() => void)[];
  readonly #world: { exitCode: number | undefined };

  constructor(behaviour: StopBehaviour = {}) {
    const world: { exitCode: number | undefined } = { exitCode: undefined };
    const waiting: (() => void)[] = [];
    super(
      (request) => answer(request, { behaviour, world, waiting }),
      behaviour.isFairlead === true ? 'Fairlead/1 (linux)' : 'Docker/28',
    );
    this.#world = world;
    this.#waiting = waiting;
  }

  /** The process ends; whoever waits for it is told. */
  exit(exitCode: number): void {
    this.#world.exitCode = exitCode;
    for (const tell of this.#waiting.splice(0)) tell();
  }

  /** Request lines of stops. */
  get stops(): readonly FakeRequest[] {
    return this.requests.filter(({ line }) => line.includes('/stop'));
  }

  /** Resolves when the stop has arrived. */
  async stopped(): Promise<FakeRequest> {
    for (;;) {
      const [stop] = this.stops;
      if (stop !== undefined) return stop;
      await turn();
    }
  }
}

interface Scene {
  readonly behaviour: StopBehaviour;
  readonly world: { readonly exitCode: number | undefined };
  readonly waiting: (() => void)[];
}

function answer({ line, headers, socket, ...rest }: FakeRequest, scene: Scene): void {
  const { behaviour, world, waiting } = scene;
  const say = (status: string, document: unknown): void => void socket.write(json(status, document));
  const whenExited = (tell: () => void): void => void (world.exitCode === undefined ? waiting.push(tell) : tell());
  if (line.includes('/info')) return say('200 OK', { KillConfirmMs: 10_000 });
  if (behaviour.isMute === true && line.startsWith('GET')) return;
  if (line.includes('/fairlead/operations/')) {
    const id = /operations\/([0-9a-f]+)/.exec(line)?.[1] ?? '';
    if (!line.includes('/wait')) return say('200 OK', operation(id, world.exitCode));
    return whenExited(() => say('200 OK', operation(id, world.exitCode)));
  }
  if (line.includes('/json')) {
    const state = world.exitCode === undefined ? RUNNING : { ...RUNNING, Running: false, ExitCode: world.exitCode };
    return say('200 OK', { State: state, Config: { StopTimeout: behaviour.stopTimeout } });
  }
  if (line.includes('/wait')) return whenExited(() => say('200 OK', { StatusCode: world.exitCode }));
  if (behaviour.onStop !== undefined) return behaviour.onStop({ line, headers, socket, ...rest });
  return whenExited(() => void socket.write('HTTP/1.1 204 No Content\r\n\r\n'));
}

function operation(id: string, exitCode: number | undefined): object {
  const Outcome =
    exitCode === undefined
      ? null
      : { Result: 'succeeded', Detail: exitCode === 137 ? 'killed' : 'exited', ExitCode: exitCode, TookMs: 77 };
  return { Id: id, Verb: 'stop', Target: { Type: 'container', Id: 'c1', Name: 'web' }, Phases: [], Outcome };
}
