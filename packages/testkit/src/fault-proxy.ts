import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Which way bytes go: from whoever connected to the proxy, or to him. */
export type FlowDirection = 'to-server' | 'to-client';

/** Where the proxy connects to. */
export type ProxyTarget = { readonly host: string; readonly port: number } | { readonly path: string };

/** What happens to bytes of one direction. All connections share it, unless they were held by themselves. */
interface Flow {
  delayMs: number;
  swallows: boolean;
  /** Bytes until everything is cut; Infinity: never. */
  cutAfterBytes: number;
  change: (bytes: Buffer) => Iterable<Buffer>;
}

interface Link {
  readonly client: Socket;
  readonly server: Socket;
  /** Resolves when bytes may pass; one for each direction. */
  readonly gates: Record<FlowDirection, Promise<void>>;
}

const asItIs = (bytes: Buffer): Iterable<Buffer> => [bytes];

/**
 * A TCP proxy on loopback that does to connections what networks do, when a test says so: refuse, cut at once or in the middle of
 * a message, go silent while both ends believe in it, hold back, delay, change. Every fault is undone by what it returns.
 */
export class FaultProxy implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  readonly #target: ProxyTarget;
  readonly #links = new Set<Link>();
  readonly #flows: Record<FlowDirection, Flow> = { 'to-server': newFlow(), 'to-client': newFlow() };
  #refuses = false;
  #accepted = 0;

  private constructor(server: Server, port: number, target: ProxyTarget) {
    this.#server = server;
    this.port = port;
    this.#target = target;
    server.on('connection', (client) => this.#connected(client));
  }

  /** Listens on a free port of 127.0.0.1. */
  static async open(target: ProxyTarget): Promise<FaultProxy> {
    // Half-closes pass: they are the ends' to make.
    const server = createServer({ allowHalfOpen: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    return new FaultProxy(server, typeof address === 'object' && address !== null ? address.port : 0, target);
  }

  /** Connections accepted so far. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Connections that are open. */
  get open(): number {
    return this.#links.size;
  }

  /** Ends every connection there is, whatever is on its way: both ends hear of it at once. */
  cut(): void {
    // Not by a reset: Node 24 leaves the descriptor of a socket open that is reset while its end is being sent.
    for (const { client, server } of this.#links) {
      client.destroy();
      server.destroy();
    }
  }

  /** Lets so many more bytes pass in one direction, over all connections, then cuts them all: most likely in the middle of a message. Once. */
  cutAfter(direction: FlowDirection, bytes: number): void {
    this.#flows[direction].cutAfterBytes = bytes;
  }

  /** New connections are closed at once. */
  refuse(): Disposable {
    this.#refuses = true;
    return undoing(() => (this.#refuses = false));
  }

  /** Takes bytes and drops them; nobody hears of it. What a cable does that was pulled. */
  swallow(...directions: readonly FlowDirection[]): Disposable {
    for (const direction of directions) this.#flows[direction].swallows = true;
    return undoing(() => {
      for (const direction of directions) this.#flows[direction].swallows = false;
    });
  }

  /** Keeps bytes of the connections there are back until disposed of; new connections are not concerned, so theirs may come first. */
  hold(...directions: readonly FlowDirection[]): Disposable {
    const { promise, resolve } = Promise.withResolvers<void>();
    for (const { gates } of this.#links) for (const direction of directions) gates[direction] = promise;
    return undoing(resolve);
  }

  /** Every piece waits so long before it goes on. */
  delay(direction: FlowDirection, delayMs: number): Disposable {
    this.#flows[direction].delayMs = delayMs;
    return undoing(() => (this.#flows[direction].delayMs = 0));
  }

  /** Puts other bytes in the place of those that come: twice the same, none, in another order. */
  change(direction: FlowDirection, change: (bytes: Buffer) => Iterable<Buffer>): Disposable {
    this.#flows[direction].change = change;
    return undoing(() => (this.#flows[direction].change = asItIs));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#refuses = true;
    this.cut();
    this.#server.close();
  }

  #connected(client: Socket): void {
    client.on('error', () => {});
    if (this.#refuses) return void client.destroy();
    this.#accepted += 1;
    const server = connect({ ...this.#target, allowHalfOpen: true });
    server.on('error', () => {});
    const link = { client, server, gates: { 'to-server': Promise.resolve(), 'to-client': Promise.resolve() } };
    this.#links.add(link);
    const ended = (): void => {
      this.#links.delete(link);
      client.destroy();
      server.destroy();
    };
    client.once('close', ended);
    server.once('close', ended);
    for (const socket of [client, server]) socket.setNoDelay(true);
    void this.#pump(link, 'to-server');
    void this.#pump(link, 'to-client');
  }

  async #pump(link: Link, direction: FlowDirection): Promise<void> {
    const [from, to] = direction === 'to-server' ? [link.client, link.server] : [link.server, link.client];
    const flow = this.#flows[direction];
    try {
      const chunks: AsyncIterable<Buffer> = from.iterator({ destroyOnReturn: false });
      for await (const bytes of chunks) {
        if (flow.delayMs > 0) await sleep(flow.delayMs);
        await link.gates[direction];
        await this.#pass(flow, flow.swallows ? [] : flow.change(bytes), to);
      }
      await link.gates[direction];
      // A peer that nobody hears does not say goodbye either.
      if (!flow.swallows) to.end();
    } catch {
      // One of both ends was cut.
      to.destroy();
    }
  }

  async #pass(flow: Flow, parts: Iterable<Buffer>, to: Socket): Promise<void> {
    for (const bytes of parts) {
      const passing = bytes.subarray(0, Math.min(bytes.length, flow.cutAfterBytes));
      flow.cutAfterBytes -= passing.length;
      if (passing.length > 0 && !to.write(passing)) await once(to, 'drain');
      if (flow.cutAfterBytes === 0) return await this.#cutBehind(flow, to);
    }
  }

  async #cutBehind(flow: Flow, to: Socket): Promise<void> {
    flow.cutAfterBytes = Infinity;
    // What was written is to arrive; then the connection is gone.
    await new Promise((resolve) => to.write('', resolve));
    this.cut();
  }
}

function newFlow(): Flow {
  return { delayMs: 0, swallows: false, cutAfterBytes: Infinity, change: asItIs };
}

function undoing(undo: () => void): Disposable {
  return { [Symbol.dispose]: undo };
}
