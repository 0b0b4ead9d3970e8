/** What is measured: something that runs containers, and how each measurement is done with it. */

/** The work that every contender does in its own way. Times are taken around these calls. */
export interface Contender extends AsyncDisposable {
  readonly name: string;
  /** What exactly was measured, for the table's foot. */
  readonly version: string;
  /** Runs `true` in a new container without a network, to its exit, and removes it. */
  runTrue(): Promise<void>;
  /** Runs `true` in the container that is there, and learns its exit code. */
  execTrue(): Promise<void>;
  /** Reads `bytes` of text from the output of a process run in the container that is there. Returns bytes received. */
  execOutput(bytes: number): Promise<number>;
  /** Reads `bytes` of text from the output of a new container, attached to from its start. Returns bytes received. */
  attachedOutput(bytes: number): Promise<number>;
  /** Starts idle containers; disposing ends and removes them. */
  idle(count: number): Promise<AsyncDisposable>;
  /** What the engine's own processes weigh now; undefined where there is no engine. */
  engineRssBytes(): number | undefined;
  /** Milliseconds from the start of the engine to its first answer; undefined where there is no engine. */
  readonly coldStartMs: number | undefined;
}

/** Where containers find the text to write out: a file of `TEXT_BYTES`, in lines of 100 characters. */
export const TEXT_PATH = '/text/lines';
export const TEXT_BYTES: number = 256 * 1024 * 1024;

/** The shell command that writes out the first `bytes` of the text. */
export function writeOut(bytes: number): readonly string[] {
  return bytes === TEXT_BYTES ? ['cat', TEXT_PATH] : ['head', '-c', String(bytes), TEXT_PATH];
}
