/** What processes weigh, read from /proc. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** One process at one moment. */
export interface ProcessWeight {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  /** Shared pages counted in proportion to how many share them. */
  readonly pssBytes: number;
  readonly rssBytes: number;
  /** Whether it runs in another PID namespace than this program: a container's own process. */
  readonly contained: boolean;
}

const KIB = 1024;

/** Every process there is; one that ends while it is read is left out. */
export function processWeights(): readonly ProcessWeight[] {
  const ownNamespace = readlinkSync('/proc/self/ns/pid');
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const status = readFileSync(`/proc/${name}/status`, 'utf8');
        const rollup = readFileSync(`/proc/${name}/smaps_rollup`, 'utf8');
        return [
          {
            pid: Number(name),
            parent: Number(field(status, 'PPid')),
            name: field(status, 'Name'),
            pssBytes: Number(field(rollup, 'Pss').split(' ')[0]) * KIB,
            rssBytes: Number(field(rollup, 'Rss').split(' ')[0]) * KIB,
            contained: readlinkSync(`/proc/${name}/ns/pid`) !== ownNamespace,
          },
        ];
      } catch {
        return [];
      }
    });
}

/** `root` and everything below it. */
export function descendants(processes: readonly ProcessWeight[], root: number): readonly ProcessWeight[] {
  const found = processes.filter(({ pid }) => pid === root);
  for (const one of found) found.push(...processes.filter(({ parent }) => parent === one.pid));
  return found;
}

/** Whether a process of this name stands beside a container for as long as it runs. */
export function isMonitor(name: string): boolean {
  return name.startsWith('container-keep') || name === 'conmon' || name.startsWith('containerd-shim');
}

function field(text: string, name: string): string {
  return new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(text)?.[1] ?? '';
}
