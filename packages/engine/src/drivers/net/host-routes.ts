import { contains, overlap, parseAddress, type Subnet } from './ipv4.ts';

/** A route of the host, with the interface it goes out by. */
export interface HostRoute {
  readonly interfaceName: string;
  readonly subnet: Subnet;
}

/**
 * Where default bridges may live, in the order they are tried.
 * Source: moby libnetwork/ipamutils, default address pools: 172.17–172.31 as /16, then 192.168 as /20.
 */
export const SUBNET_CANDIDATES: readonly Subnet[] = [
  ...Array.from({ length: 15 }, (_value, index) => ({ base: parseAddress(`172.${17 + index}.0.0`), prefixLength: 16 })),
  ...Array.from({ length: 16 }, (_value, index) => ({
    base: parseAddress(`192.168.${16 * index}.0`),
    prefixLength: 20,
  })),
];

/** Reads /proc/net/route: the main table, which also has the subnet of every interface that is up. */
export function parseRoutes(text: string): readonly HostRoute[] {
  const routes: HostRoute[] = [];
  for (const line of text.split('\n').slice(1)) {
    const [interfaceName = '', destination = '', , , , , , mask = ''] = line.split('\t').map((field) => field.trim());
    if (interfaceName === '' || !isHex32(destination) || !isHex32(mask)) continue;
    const base = swapBytes(Number.parseInt(destination, 16));
    routes.push({ interfaceName, subnet: { base, prefixLength: countBits(Number.parseInt(mask, 16)) } });
  }
  return routes;
}

/** The IPv4 addresses of a resolv.conf's nameservers: a bridge on top of one of them would cut the host off from it. */
export function parseNameservers(resolvConf: string): readonly number[] {
  const addresses: number[] = [];
  for (const line of resolvConf.split('\n')) {
    const [, address] = /^\s*nameserver\s+(\d+\.\d+\.\d+\.\d+)\s*$/.exec(line) ?? [];
    if (address !== undefined && address.split('.').every((byte) => Number(byte) <= 255))
      addresses.push(parseAddress(address));
  }
  return addresses;
}

/** The candidates that lie on nothing the host already reaches; a default route (prefix 0) is no obstacle. */
export function freeSubnets(routes: readonly HostRoute[], nameservers: readonly number[]): readonly Subnet[] {
  const used = routes.filter((route) => route.subnet.prefixLength > 0);
  return SUBNET_CANDIDATES.filter(
    (candidate) =>
      !used.some((route) => overlap(route.subnet, candidate)) &&
      !nameservers.some((address) => contains(candidate, address)),
  );
}

function isHex32(text: string): boolean {
  return /^[0-9A-Fa-f]{8}$/.test(text);
}

/** /proc/net/route prints addresses as integers of the machine: little endian on every machine the engine supports. */
function swapBytes(value: number): number {
  return (
    ((value & 255) * 2 ** 24 + ((value >>> 8) & 255) * 2 ** 16 + ((value >>> 16) & 255) * 2 ** 8 + (value >>> 24)) >>> 0
  );
}

function countBits(value: number): number {
  let bits = 0;
  for (let rest = value; rest > 0; rest = Math.floor(rest / 2)) bits += rest % 2;
  return bits;
}
