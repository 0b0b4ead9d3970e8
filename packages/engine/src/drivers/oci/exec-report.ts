/** What runtime and keeper told about the start of an exec. */
export interface ExecReport {
  /** Host pid of the program; undefined while, or because, it does not run. */
  readonly pid: number | undefined;
  /** The runtime's log. */
  readonly log: string;
}

/** Reads what came through a keeper's descriptor 3: the runtime's log and, when the program runs, NUL, pid, newline. */
export function parseExecReport(text: string): ExecReport {
  const [, log = '', pid] = /^([^\0]*)(?:\0([1-9]\d{0,9})\n)?/.exec(text) ?? [];
  return { pid: pid === undefined ? undefined : Number(pid), log };
}
