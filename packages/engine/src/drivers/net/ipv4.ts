/** An IPv4 subnet; addresses are unsigned 32-bit numbers, most significant byte first. */
export interface Subnet {
  readonly base: number;
  readonly prefixLength: number;
}

/** @throws RangeError unless `text` is four decimal bytes with dots between. */
export function parseAddress(text: string): number {
  const bytes = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number) ?? [];
  if (bytes.length !== 4 || bytes.some((byte) => byte > 255)) throw new RangeError(`not an IPv4 address: ${text}`);
  return bytes.reduce((address, byte) => address * 256 + byte, 0);
}

/** `A.B.C.D` */
export function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
}

/** @throws RangeError unless `text` is `A.B.C.D/N` with no bits set beyond N. */
export function parseSubnet(text: string): Subnet {
  const [address = '', length = ''] = text.split('/');
  const prefixLength = Number(length);
  if (!/^\d{1,2}$/.test(length) || prefixLength > 32) throw new RangeError(`not an IPv4 subnet: ${text}`);
  const base = parseAddress(address);
  if (base % sizeOf({ base, prefixLength }) !== 0)
    throw new RangeError(`not an IPv4 subnet: ${text} has host bits set`);
  return { base, prefixLength };
}

/** `A.B.C.D/N`: the inverse of `parseSubnet`. */
export function formatSubnet(subnet: Subnet): string {
  return `${formatAddress(subnet.base)}/${subnet.prefixLength}`;
}

/** How many addresses there are in it, those of network and broadcast included. */
export function sizeOf(subnet: Subnet): number {
  return 2 ** (32 - subnet.prefixLength);
}

/** Whether two subnets have an address in common. */
export function overlap(one: Subnet, other: Subnet): boolean {
  return one.base < other.base + sizeOf(other) && other.base < one.base + sizeOf(one);
}

/** Whether an address lies in a subnet. */
export function contains(subnet: Subnet, address: number): boolean {
  return address >= subnet.base && address < subnet.base + sizeOf(subnet);
}

/** Docker's rule for interface addresses: `02:42` and the four bytes of the IPv4 address. Source: moby libnetwork/netutils. */
export function macOf(address: number): string {
  const bytes = [24, 16, 8, 0].map((shift) => ((address >>> shift) & 255).toString(16).padStart(2, '0'));
  return `02:42:${bytes.join(':')}`;
}
