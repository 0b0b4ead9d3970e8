/** Whether a text is an address of IPv4 or IPv6 (without a zone); undefined when it is neither. */
export function addressFamily(text: string): 4 | 6 | undefined {
  if (isIpv4(text)) return 4;
  return isIpv6(text) ? 6 : undefined;
}

/** Whether an address means the machine itself: 127.0.0.0/8 or ::1. */
export function isLoopback(address: string): boolean {
  return isIpv4(address) ? address.startsWith('127.') : /^(0*:)*:?0*1$/.test(address) && isIpv6(address);
}

function isIpv4(text: string): boolean {
  const bytes = text.split('.');
  // A leading zero is refused, as Go's net/netip does: some programs read it as octal.
  return bytes.length === 4 && bytes.every((byte) => /^(0|[1-9]\d{0,2})$/.test(byte) && Number(byte) <= 255);
}

function isIpv6(text: string): boolean {
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  const last = groups.at(-1);
  const endsInIpv4 = last !== undefined && !text.endsWith('::') && isIpv4(last);
  const words = endsInIpv4 ? groups.slice(0, -1) : groups;
  if (!words.every((word) => /^[0-9a-fA-F]{1,4}$/.test(word))) return false;
  const length = words.length + (endsInIpv4 ? 2 : 0);
  // `::` stands for one group of zeros at least.
  return halves.length === 2 ? length <= 7 : length === 8;
}
