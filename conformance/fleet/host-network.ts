import { execFileSync, spawnSync } from 'node:child_process';

/** Network namespaces as hosts, on one bridge with this machine, and cables between them that can be pulled. Disposing removes everything. */
export class HostNetwork implements Disposable {
  /** Of this machine, as the hosts see it. */
  readonly address: string;
  readonly #prefix: string;
  readonly #hosts: readonly string[];

  private constructor(hosts: readonly string[]) {
    // Interfaces have names of at most 15 characters. Several runs may be on one machine.
    this.#prefix = `fh${process.pid}`;
    this.address = `10.231.${process.pid % 256}.1`;
    this.#hosts = hosts;
  }

  /** @throws Error of `ip`, without root for instance; nothing is left then. */
  static open(hosts: readonly string[]): HostNetwork {
    using undo = new DisposableStack();
    const network = undo.use(new HostNetwork(hosts));
    network.#make();
    undo.move();
    return network;
  }

  /** Of a host, as this machine and the others see it. */
  addressOf(host: string): string {
    return this.address.replace(/1$/, String(this.#hosts.indexOf(host) + 2));
  }

  /** What to put in front of a command line that is to run on this host. */
  within(host: string): readonly string[] {
    return ['nsenter', `--net=/run/netns/${this.#name(host)}`];
  }

  /** Pulls the cable: neither side is told. */
  cut(host: string): void {
    ip('link', 'set', this.#name(host), 'down');
  }

  mend(host: string): void {
    ip('link', 'set', this.#name(host), 'up');
  }

  /** What is left of it on the machine. */
  left(): readonly string[] {
    const links = execFileSync('ip', ['-brief', 'link'], { encoding: 'utf8' });
    const namespaces = execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' });
    return `${links}${namespaces}`.split('\n').filter((line) => line.startsWith(this.#prefix));
  }

  [Symbol.dispose](): void {
    for (const host of this.#hosts) {
      spawnSync('ip', ['link', 'delete', this.#name(host)]);
      spawnSync('ip', ['netns', 'delete', this.#name(host)]);
    }
    spawnSync('ip', ['link', 'delete', this.#prefix]);
  }

  #name(host: string): string {
    return `${this.#prefix}-${this.#hosts.indexOf(host)}`;
  }

  #make(): void {
    const bridge = this.#prefix;
    ip('link', 'add', bridge, 'type', 'bridge');
    ip('addr', 'add', `${this.address}/24`, 'dev', bridge);
    ip('link', 'set', bridge, 'up');
    for (const host of this.#hosts) {
      const name = this.#name(host);
      ip('netns', 'add', name);
      ip('link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
      ip('link', 'set', name, 'master', bridge, 'up');
      ip('-n', name, 'addr', 'add', `${this.addressOf(host)}/24`, 'dev', 'eth0');
      for (const device of ['lo', 'eth0']) ip('-n', name, 'link', 'set', device, 'up');
    }
  }
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args);
}
