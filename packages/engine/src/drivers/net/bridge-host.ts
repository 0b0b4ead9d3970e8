import { EngineError } from '@fairlead/protocol';
import type { NetworkEndpoint } from '../../core/ports/network-driver.ts';
import { readTextIfExists } from '../../host/files.ts';
import { isErrno } from '../../host/errno.ts';
import { ProgramFailedError, runOrThrow, runProgram, type RunOptions } from '../../host/process.ts';
import { dropsForwarded, forwardExceptions, removeRulesScript, rulesScript, type BridgeRules } from './bridge-rules.ts';

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
 * one, 9.5 ms in two. Arguments: pair name, bridge, MAC address, pid, MTU; the inner batch comes on stdin.
 */
const CONNECT_SCRIPT = `
if [ "/proc/$4/ns/net" -ef /proc/self/ns/net ]; then echo "process $4 has no network namespace of its own" >&2; exit 1; fi
ip link add "$1" mtu "$5" master "$2" up type veth peer name eth0 mtu "$5" address "$3" netns "$4" &&
exec nsenter --net="/proc/$4/ns/net" ip -batch -
`;

/** The kernel's side of a bridge: interface, addresses and rules. Everything may be repeated. */
export class BridgeHost {
  readonly #options: BridgeHostOptions;
  #ready: Promise<number> | undefined;

  constructor(options: BridgeHostOptions) {
    this.#options = options;
  }

  /**
   * Gives the process of `pid` an eth0 on the bridge, with address and default route.
   *
   * @throws EngineError 'internal' `failed to set up container networking: …` with the tool's words.
   */
  async connect(pid: number, endpoint: NetworkEndpoint): Promise<void> {
    try {
      await this.#addPair(pid, endpoint, await this.#makeReady());
    } catch (first) {
      // Somebody removed the bridge, or a crash left the pair half made: put both right, then the second word counts.
      this.#ready = undefined;
      try {
        await run('ip', ['link', 'del', pairName(endpoint)], { allowFailure: true });
        await this.#addPair(pid, endpoint, await this.#makeReady());
      } catch (cause) {
        throw failure(cause, first);
      }
    }
  }

  /** Removes bridge and rules. */
  async remove(): Promise<void> {
    this.#ready = undefined;
    const { interfaceName } = this.#options;
    await run('nft', ['-f', '-'], { input: removeRulesScript(this.#options) });
    for (const rule of forwardExceptions(this.#options)) await removeForwardException(rule);
    if (await interfaceExists(interfaceName)) await run('ip', ['link', 'del', interfaceName]);
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
    const args = [pairName(endpoint), interfaceName, endpoint.macAddress, String(pid), String(mtu)];
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
      run('nft', ['-f', '-'], { input: rulesScript(this.#options) }),
      run('sh', ['-c', 'read on < "$1" && [ "$on" = 1 ] || echo 1 > "$1"', 'sh', '/proc/sys/net/ipv4/ip_forward']),
      this.#addForwardExceptions(),
    ]);
    return mtu;
  }

  async #makeBridge(mtu: number): Promise<void> {
    const { interfaceName: name, gateway, prefixLength, macAddress } = this.#options;
    // Without an address of its own a bridge would change its with every container, and forwarding would pause.
    const add = `link add ${name} address ${macAddress} mtu ${mtu} type bridge forward_delay 0\n`;
    const rest = `link set ${name} up\naddr replace ${gateway}/${prefixLength} brd + dev ${name}\n`;
    await run('ip', ['-batch', '-'], { input: (await interfaceExists(name)) ? rest : `${add}${rest}` });
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
