import { EngineError } from '@fairlead/protocol';
import type { NetworkEndpoint } from '../../core/ports/network-driver.ts';
import { readTextIfExists, writeKernelFile } from '../../host/files.ts';
import { isErrno } from '../../host/errno.ts';
import { ProgramFailedError, runOrThrow, runProgram, type RunOptions } from '../../host/process.ts';
import { KeyedLock } from '../../lib/keyed-lock.ts';
import {
  addPortsScript,
  dropsForwarded,
  forwardExceptions,
  removePortsScript,
  removeRulesScript,
  rulesScript,
  type BridgeRules,
  type PortRule,
} from './bridge-rules.ts';

export interface BridgeHostOptions extends BridgeRules {
  readonly gateway: string;
  readonly prefixLength: number;
  readonly macAddress: string;
}

/** These tools answer in milliseconds; longer means that the kernel is stuck, and somebody is waiting. Our own figure. */
const TOOL_TIMEOUT_MS = 10_000;

/** Docker's default; a host whose own way out is narrower (a VPN, a cloud) sets the limit. */
const MTU_MAX = 1500;

/**
 * One program for both sides of a pair, because starting programs is what takes the time (3 ms each): measured 7.7 ms in
 * one, 9.5 ms in two. Arguments: pair name, bridge, MAC address, pid, MTU, hairpin; the inner batch comes on stdin.
 *
 * Hairpin: a container that comes to itself by a port of the host. Where the bridge hands its packets to the host's rules
 * (br_netfilter), it would not let them out where they came in. Broadcasts come back by it, so it is for those that need it.
 */
const CONNECT_SCRIPT = `
if [ "/proc/$4/ns/net" -ef /proc/self/ns/net ]; then echo "process $4 has no network namespace of its own" >&2; exit 1; fi
ip link add "$1" mtu "$5" master "$2" up type veth peer name eth0 mtu "$5" address "$3" netns "$4" || exit 1
if [ "$6" = 1 ]; then echo 1 > "/sys/class/net/$1/brport/hairpin_mode"; fi
exec nsenter --net="/proc/$4/ns/net" ip -batch -
`;

/** The kernel's side of a bridge: interface, addresses and rules. Everything may be repeated. */
export class BridgeHost {
  readonly #options: BridgeHostOptions;
  /** By endpoint id: what the rules are to have, whatever they have now. */
  readonly #ports = new Map<string, readonly PortRule[]>();
  readonly #lock = new KeyedLock();
  #ready: Promise<number> | undefined;

  constructor(options: BridgeHostOptions) {
    this.#options = options;
  }

  /**
   * Gives the process of `pid` an eth0 on the bridge, with address and default route, and makes its ports reachable.
   *
   * @throws EngineError 'internal' `failed to set up container networking: …` with the tool's words.
   */
  async connect(pid: number, endpoint: NetworkEndpoint): Promise<void> {
    this.#track(endpoint);
    try {
      await this.#attach(pid, endpoint);
    } catch (first) {
      // Somebody removed the bridge, or a crash left the pair half made: put both right, then the second word counts.
      this.#ready = undefined;
      try {
        await run('ip', ['link', 'del', pairName(endpoint)], { allowFailure: true });
        await this.#attach(pid, endpoint);
      } catch (cause) {
        throw failure(cause, first);
      }
    }
  }

  /** Makes its ports unreachable; the interface pair goes with the process. */
  async disconnect(endpoint: NetworkEndpoint): Promise<void> {
    const ports = this.#ports.get(endpoint.endpointId) ?? [];
    this.#ports.delete(endpoint.endpointId);
    if (ports.length === 0) return;
    try {
      await this.#changeRules(removePortsScript(this.#options, ports));
    } catch {
      // Somebody changed the rules: made anew, they are without these ports.
      this.#ready = undefined;
      await this.#makeReady();
    }
  }

  /** After a restart of the engine: the rules are made anew, with these endpoints' ports and no others. */
  async restore(endpoints: Iterable<NetworkEndpoint>): Promise<void> {
    for (const endpoint of endpoints) this.#track(endpoint);
    // Without a bridge nothing of ours runs.
    if (await interfaceExists(this.#options.interfaceName)) await this.#makeReady();
  }

  /** Removes bridge and rules. */
  async remove(): Promise<void> {
    this.#ready = undefined;
    const { interfaceName } = this.#options;
    await run('nft', ['-f', '-'], { input: removeRulesScript(this.#options) });
    for (const rule of forwardExceptions(this.#options)) await removeForwardException(rule);
    if (await interfaceExists(interfaceName)) await run('ip', ['link', 'del', interfaceName]);
  }

  #track({ endpointId, ipAddress, ports = [] }: NetworkEndpoint): void {
    if (ports.length === 0) return;
    this.#ports.set(
      endpointId,
      ports.map((port) => ({ ...port, containerAddress: ipAddress })),
    );
  }

  async #attach(pid: number, endpoint: NetworkEndpoint): Promise<void> {
    const mtu = await this.#makeReady();
    const ports = this.#ports.get(endpoint.endpointId) ?? [];
    const outcomes = await Promise.allSettled([
      this.#addPair(pid, endpoint, mtu),
      ports.length === 0 ? undefined : this.#changeRules(addPortsScript(this.#options, ports)),
    ]);
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }

  /** One change at a time: a port must not be added to a table that is just being replaced. */
  async #changeRules(script: string): Promise<void> {
    await this.#lock.run('rules', () => run('nft', ['-f', '-'], { input: script }));
  }

  async #addPair(pid: number, endpoint: NetworkEndpoint, mtu: number): Promise<void> {
    const inner = [
      'link set lo up',
      `addr add ${endpoint.ipAddress}/${endpoint.prefixLength} brd + dev eth0`,
      'link set eth0 up',
      `route add default via ${endpoint.gateway}`,
      '',
    ].join('\n');
    const { interfaceName } = this.#options;
    const hairpin = (endpoint.ports ?? []).length > 0 ? '1' : '0';
    const args = [pairName(endpoint), interfaceName, endpoint.macAddress, String(pid), String(mtu), hairpin];
    await run('sh', ['-c', CONNECT_SCRIPT, 'sh', ...args], { input: inner });
  }

  /** Once per engine; a failure is not remembered. @returns the MTU of the bridge. */
  async #makeReady(): Promise<number> {
    const ready = (this.#ready ??= this.#setUp());
    try {
      return await ready;
    } catch (error) {
      if (this.#ready === ready) this.#ready = undefined;
      throw error;
    }
  }

  async #setUp(): Promise<number> {
    const mtu = Math.min(MTU_MAX, await routeMtu());
    // Rules name the interface and do not need it, so nothing here waits for anything else.
    await Promise.all([
      this.#makeBridge(mtu),
      this.#lock.run('rules', () => run('nft', ['-f', '-'], { input: this.#rulesNow() })),
      run('sh', ['-c', 'read on < "$1" && [ "$on" = 1 ] || echo 1 > "$1"', 'sh', '/proc/sys/net/ipv4/ip_forward']),
      this.#addForwardExceptions(),
    ]);
    return mtu;
  }

  #rulesNow(): string {
    return rulesScript(this.#options, [...this.#ports.values()].flat());
  }

  async #makeBridge(mtu: number): Promise<void> {
    const { interfaceName: name, gateway, prefixLength, macAddress } = this.#options;
    // Without an address of its own a bridge would change its with every container, and forwarding would pause.
    const add = `link add ${name} address ${macAddress} mtu ${mtu} type bridge forward_delay 0\n`;
    const rest = `link set ${name} up\naddr replace ${gateway}/${prefixLength} brd + dev ${name}\n`;
    await run('ip', ['-batch', '-'], { input: (await interfaceExists(name)) ? rest : `${add}${rest}` });
    // Packets from the host's loopback to a published port are answered from the bridge. The rules keep others out.
    await writeKernelFile(`/proc/sys/net/ipv4/conf/${name}/route_localnet`, '1');
  }

  async #addForwardExceptions(): Promise<void> {
    if (!dropsForwarded(await iptables(['-S', 'FORWARD']))) return;
    for (const rule of forwardExceptions(this.#options)) {
      await removeForwardException(rule);
      await run('iptables', ['-w', '-I', 'FORWARD', ...rule]);
    }
  }
}

/** From the endpoint, not the container: a restarted one must not meet the pair that the kernel is still taking down. */
function pairName(endpoint: NetworkEndpoint): string {
  return `flv${endpoint.endpointId.slice(0, 12)}`;
}

async function interfaceExists(name: string): Promise<boolean> {
  return (await readTextIfExists(`/sys/class/net/${name}/ifindex`, 64)) !== undefined;
}

/** The MTU of the interface behind the default route; without one, no limit. */
async function routeMtu(): Promise<number> {
  const routes = (await readTextIfExists('/proc/net/route', 4 * 1024 * 1024)) ?? '';
  const [, name] = /^(\S+)\t00000000\t\S+\t\S+\t\S+\t\S+\t\S+\t00000000\t/m.exec(routes) ?? [];
  const mtu = name === undefined ? undefined : await readTextIfExists(`/sys/class/net/${name}/mtu`, 64);
  return mtu === undefined ? MTU_MAX : Number(mtu);
}

async function removeForwardException(rule: readonly string[]): Promise<void> {
  // A crash between two additions may have left it twice; -D removes one at a time.
  while ((await iptablesResult(['-C', 'FORWARD', ...rule])) === 0)
    await run('iptables', ['-w', '-D', 'FORWARD', ...rule]);
}

/** What iptables prints; nothing on a host without it, whose FORWARD chain cannot drop anything then. */
async function iptables(args: readonly string[]): Promise<string> {
  try {
    const result = await runProgram('iptables', ['-w', ...args], { signal: AbortSignal.timeout(TOOL_TIMEOUT_MS) });
    return result.exitCode === 0 ? result.stdout : '';
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return '';
    throw error;
  }
}

async function iptablesResult(args: readonly string[]): Promise<number> {
  try {
    return (await runProgram('iptables', ['-w', ...args], { signal: AbortSignal.timeout(TOOL_TIMEOUT_MS) })).exitCode;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return 127;
    throw error;
  }
}

interface ToolOptions {
  readonly input?: string;
  readonly allowFailure?: boolean;
}

async function run(file: string, args: readonly string[], options: ToolOptions = {}): Promise<void> {
  const runOptions: RunOptions = {
    signal: AbortSignal.timeout(TOOL_TIMEOUT_MS),
    ...(options.input === undefined ? {} : { input: options.input }),
  };
  if (options.allowFailure === true) await runProgram(file, args, runOptions);
  else await runOrThrow(file, args, runOptions);
}

function failure(cause: unknown, first: unknown): EngineError {
  const words = cause instanceof ProgramFailedError ? cause.result.stderr.trim() : String(cause);
  return new EngineError('internal', `failed to set up container networking: ${words}`, {
    cause,
    details: { firstAttempt: String(first) },
  });
}
