import { readdirSync, readFileSync } from 'node:fs';

/** A process and what it has had of the processors so far, in seconds. */
export interface ProcessorTime {
  readonly pid: number;
  readonly parent: number;
  readonly commandLine: string;
  readonly seconds: number;
}

/** User and system time of a process so far, in seconds. Source: proc(5), `stat`: fields 14 and 15, in hundredths. */
export function processorSeconds(pid: number): number {
  return readStat(pid).seconds;
}

/** Every process below `root`, at any depth. */
export function processorTimesBelow(root: number): readonly ProcessorTime[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const commandLine = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return [{ pid: Number(name), commandLine, ...readStat(Number(name)) }];
      } catch {
        // It ended while it was read.
        return [];
      }
    });
  const found = all.filter(({ parent }) => parent === root);
  for (const one of found) found.push(...all.filter(({ parent }) => parent === one.pid));
  return found;
}

function readStat(pid: number): Pick<ProcessorTime, 'parent' | 'seconds'> {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return { parent: Number(fields[1]), seconds: (Number(fields[11]) + Number(fields[12])) / 100 };
}
