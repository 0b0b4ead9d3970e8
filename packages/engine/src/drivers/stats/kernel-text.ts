import type { BlockIoCount, InterfaceUsage } from '../../core/ports/container-usage.ts';

/** Ticks per second in /proc and cpuacct.stat: part of the kernel's promise to user space. Source: include/asm-generic/param.h, USER_HZ. */
const USER_HZ = 100;
/** Nanoseconds of one such tick. */
export const TICK_NANOS: number = 1_000_000_000 / USER_HZ;

/** Lines of `name number`: memory.stat, cpu.stat, cpuacct.stat. What is no such line is left out. */
export function parseCounters(text: string): ReadonlyMap<string, bigint> {
  const counters = new Map<string, bigint>();
  for (const line of text.split('\n')) {
    const [, name, digits] = /^(\S+) (\d+)$/.exec(line) ?? [];
    if (name !== undefined && digits !== undefined) counters.set(name, BigInt(digits));
  }
  return counters;
}

/** A file of one number; `max` is Infinity. Undefined when there is no such file. */
export function parseNumber(text: string | undefined): number | undefined {
  const word = text?.trim();
  if (word === undefined) return undefined;
  return word === 'max' ? Infinity : Number(word);
}

/** The host's CPU time out of /proc/stat, and how many CPUs run. Source: moby daemon/stats_unix.go, readSystemCPUUsage. */
export function parseHostCpu(procStat: string): { readonly hostNanos: number; readonly onlineCpus: number } {
  let [ticks, onlineCpus] = [0, 0];
  for (const line of procStat.split('\n')) {
    if (!line.startsWith('cpu')) break;
    const [name, ...fields] = line.split(/\s+/);
    // user, nice, system, idle, iowait, irq, softirq; guest time is part of user time.
    if (name === 'cpu') ticks = fields.slice(0, 7).reduce((sum, field) => sum + Number(field), 0);
    else onlineCpus += 1;
  }
  return { hostNanos: ticks * TICK_NANOS, onlineCpus };
}

/** The interfaces of /proc/PID/net/dev but the loopback. */
export function parseInterfaces(netDev: string): readonly InterfaceUsage[] {
  return netDev.split('\n').flatMap((line) => {
    const [, name, counts] = /^\s*([^\s:]+):\s*(.*)$/.exec(line) ?? [];
    if (name === undefined || counts === undefined || name === 'lo') return [];
    const numbers = counts.trim().split(/\s+/).map(Number);
    return [{ name, received: traffic(numbers.slice(0, 4)), sent: traffic(numbers.slice(8, 12)) }];
  });
}

/** Lines of `MAJOR:MINOR OPERATION NUMBER` of the blkio controller; sums over devices are left out. */
export function parseLegacyBlockIo(text: string): readonly BlockIoCount[] {
  return text.split('\n').flatMap((line) => {
    const [, major, minor, operation, count] = /^(\d+):(\d+) (\w+) (\d+)$/.exec(line) ?? [];
    if (operation === undefined) return [];
    return [{ major: Number(major), minor: Number(minor), operation: operation.toLowerCase(), count: Number(count) }];
  });
}

/** Lines of `MAJOR:MINOR rbytes=1 wbytes=2 rios=3 wios=4 …` of io.stat. */
export function parseUnifiedBlockIo(text: string): readonly BlockIoCount[] {
  return text.split('\n').flatMap((line) => {
    const [, major, minor, rest = ''] = /^(\d+):(\d+) (.*)$/.exec(line) ?? [];
    if (major === undefined) return [];
    const values = new Map(rest.split(' ').map((pair) => [pair.split('=')[0], Number(pair.split('=')[1] ?? 0)]));
    const device = { major: Number(major), minor: Number(minor) };
    return [
      { ...device, operation: 'read', count: values.get('rbytes') ?? 0 },
      { ...device, operation: 'write', count: values.get('wbytes') ?? 0 },
    ];
  });
}

function traffic(numbers: readonly number[]): InterfaceUsage['received'] {
  const [bytes = 0, packets = 0, errors = 0, dropped = 0] = numbers;
  return { bytes, packets, errors, dropped };
}
