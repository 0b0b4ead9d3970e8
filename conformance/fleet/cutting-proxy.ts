import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';

/** A TCP proxy on loopback whose wire can be cut: connections end in the middle, and new ones are refused while it is cut. */
export class CuttingProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isCut = false;
  /** Connections that were cut so far. */
  cuts = 0;

  private constructor(server: Server, port: number) {
    this.#server = server;
    server.on('connection', (near) => this.#carry(near, port));
  }

  static async to(port: number): Promise<CuttingProxy> {
    const server = createServer({ allowHalfOpen: true });
    const proxy = new CuttingProxy(server, port);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get url(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  }

  cut(): void {
    this.#isCut = true;
    this.#cutAll();
  }

  mend(): void {
    this.#isCut = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#cutAll();
  }

  #cutAll(): void {
    for (const socket of this.#sockets) {
      this.cuts += 1;
      socket.resetAndDestroy();
    }
  }

  #carry(near: Socket, port: number): void {
    if (this.#isCut) return void near.resetAndDestroy();
    const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from);
      from.on('error', () => to.destroy());
      from.once('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  }
}
