/** What runtime and keeper told about the start of a container's or an exec's process. */
export interface KeeperReport {
  /** Host pid of the process; undefined while, or because, it is not there. */
  readonly pid: number | undefined;
  /** The runtime's log. */
  readonly log: string;
}

/** Reads what came through a keeper's descriptor 3: the runtime's log and, when the process is there, NUL, pid, newline. */
export function parseKeeperReport(text: string): KeeperReport {
  const [, log = '', pid] = /^([^\0]*)(?:\0([1-9]\d{0,9})\n)?/.exec(text) ?? [];
  return { pid: pid === undefined ? undefined : Number(pid), log };
}
