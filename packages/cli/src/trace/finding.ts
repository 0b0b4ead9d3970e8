/** One thing that a recording shows, in plain words. */
export interface Finding {
  /** Stable: scripts may look for it. The list is in docs/trace.md. */
  readonly id: FindingId;
  /** A note is worth knowing, and nothing is wrong. */
  readonly level: 'problem' | 'note';
  /** One sentence. */
  readonly summary: string;
  /** What follows from it, a sentence each. */
  readonly details: readonly string[];
  /** Ways out, a sentence each. */
  readonly fixes: readonly string[];
  /** What in the recording shows it. */
  readonly evidence: readonly Evidence[];
  readonly connection?: number;
  readonly exchange?: number;
}

export interface Evidence {
  readonly atMs: number;
  readonly what: string;
}

export type FindingId =
  | 'client-left-during-stop'
  | 'client-left-before-answer'
  | 'engine-unreachable'
  | 'engine-left-before-answer'
  | 'never-answered'
  | 'refused'
  | 'api-version-refused'
  | 'exec-exit-code-not-asked'
  | 'exec-inspected-while-running'
  | 'exec-left-running'
  | 'detached'
  | 'stream-cut'
  | 'answer-cut'
  | 'request-cut'
  | 'stdin-never-closed'
  | 'not-http'
  | 'no-connection'
  | 'connections-left-open'
  | 'recording-incomplete';
