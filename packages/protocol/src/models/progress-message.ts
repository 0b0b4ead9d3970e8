/** One line of a load, import, pull, push or build. */
export interface ProgressMessage {
  /** Text to be printed as it is. */
  readonly stream?: string;
  readonly status?: string;
  /** Which layer the line is about: 12 hex characters. */
  readonly id?: string;
  /** Bytes. */
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  /** For programs: a build's image id, a push's digest. */
  readonly aux?: unknown;
  /** A bar for people. */
  readonly progress?: string;
  /** The failure; the status of the answer was 200 already. */
  readonly error?: string;
  readonly errorDetail?: { readonly message: string; readonly code?: number };
}
