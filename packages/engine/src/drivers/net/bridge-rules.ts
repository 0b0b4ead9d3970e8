import type { PublishedPort } from '../../core/ports/network-driver.ts';

const ANY_ADDRESS = '0.0.0.0';

/** A port of the host that leads to a container. */
export interface PortRule extends PublishedPort {
  readonly containerAddress: string;
}

/** What the rules of one bridge are about. */
export interface BridgeRules {
  /** nftables table, ours alone. */
  readonly table: string;
  readonly interfaceName: string;
  /** `A.B.C.D/N` */
  readonly subnet: string;
}

/**
 * The nftables script that makes the rules, in one transaction, whatever was there before.
 *
 * Containers reach out under the host's address; others reach them only in answer, or by a published port: Docker's
 * rules for its default bridge. Source: moby libnetwork/drivers/bridge/setup_ip_tables_linux.go.
 *
 * A published port leads to its container from everywhere: whoever comes by the host's loopback, or is a container of the same
 * bridge, gets the bridge's address, because the answer would not come back through the host otherwise. What `route_localnet`
 * opens for that is closed again: no container reaches the host's loopback, and no neighbour a port published there.
 */
export function rulesScript(rules: BridgeRules, ports: readonly PortRule[]): string {
  return `table ip ${rules.table}
delete table ip ${rules.table}
table ip ${rules.table} {
  map published {
    type inet_proto . inet_service : ipv4_addr . inet_service
  }
  map published_at {
    type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service
  }
  chain publish {
    dnat ip to ip daddr . meta l4proto . th dport map @published_at
    dnat ip to meta l4proto . th dport map @published
  }
  chain guard {
    type filter hook prerouting priority raw; policy accept;
    iifname "${rules.interfaceName}" ip daddr 127.0.0.0/8 drop
  }
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    ip daddr != 127.0.0.0/8 fib daddr type local jump publish
  }
  chain output {
    type nat hook output priority -100; policy accept;
    fib daddr type local jump publish
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${rules.subnet} oifname != "${rules.interfaceName}" masquerade
    ip saddr 127.0.0.0/8 oifname "${rules.interfaceName}" masquerade
    ip saddr ${rules.subnet} oifname "${rules.interfaceName}" ct status dnat masquerade
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    oifname "${rules.interfaceName}" ct state established,related accept
    oifname "${rules.interfaceName}" ct status dnat accept
    iifname "${rules.interfaceName}" accept
    oifname "${rules.interfaceName}" drop
  }
}
${ports.map((port) => addPort(rules, port)).join('')}`;
}

/** The script that makes ports reachable; again is no error. */
export function addPortsScript(rules: BridgeRules, ports: readonly PortRule[]): string {
  return ports.map((port) => addPort(rules, port)).join('');
}

/** The script that makes them unreachable; those that are already are no error. */
export function removePortsScript(rules: BridgeRules, ports: readonly PortRule[]): string {
  // Added first, because nftables refuses to delete what is not there.
  return ports
    .map((port) => `${addPort(rules, port)}delete element ip ${mapOf(rules, port)} { ${keyOf(port)} }\n`)
    .join('');
}

function addPort(rules: BridgeRules, port: PortRule): string {
  const { containerAddress, containerPort } = port;
  return `add element ip ${mapOf(rules, port)} { ${keyOf(port)} : ${containerAddress} . ${containerPort} }\n`;
}

function mapOf({ table }: BridgeRules, { hostAddress }: PortRule): string {
  return `${table} ${hostAddress === ANY_ADDRESS ? 'published' : 'published_at'}`;
}

function keyOf({ protocol, hostAddress, hostPort }: PortRule): string {
  return `${hostAddress === ANY_ADDRESS ? '' : `${hostAddress} . `}${protocol} . ${hostPort}`;
}

/** The script that removes them; nothing there is no error. */
export function removeRulesScript(rules: BridgeRules): string {
  return `table ip ${rules.table}\ndelete table ip ${rules.table}\n`;
}

/**
 * Rules for a host whose own FORWARD chain drops by default, as Docker's installation or a firewall leaves it: what our
 * own table accepts would still be dropped there. Each is the part of an iptables command after `-I FORWARD`.
 */
export function forwardExceptions(rules: BridgeRules): readonly (readonly string[])[] {
  const comment = ['-m', 'comment', '--comment', rules.table];
  const answers = ['-m', 'conntrack', '--ctstate', 'RELATED,ESTABLISHED'];
  return [
    ['-i', rules.interfaceName, ...comment, '-j', 'ACCEPT'],
    ['-o', rules.interfaceName, ...answers, ...comment, '-j', 'ACCEPT'],
    ['-o', rules.interfaceName, '-m', 'conntrack', '--ctstate', 'DNAT', ...comment, '-j', 'ACCEPT'],
  ];
}

/** Whether `iptables -S FORWARD` says that packets are dropped unless a rule accepts them. */
export function dropsForwarded(listing: string): boolean {
  return /^-P FORWARD (DROP|REJECT)$/m.test(listing);
}
