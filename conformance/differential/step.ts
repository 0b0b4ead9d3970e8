/** One request of a scene, sent to both engines. */
export interface Step {
  /** Method and path below `/v1.41`, as in `GET /containers/web/json`; `{name}` stands for what an earlier step kept, `{now}` for the time. */
  readonly target: string;
  readonly json?: unknown;
  /** A body as it is, with its media type. */
  readonly body?: { readonly text: string; readonly type: string | undefined };
  /** Keeps the answer's `Id` under this name. */
  readonly keep?: string;
  /** Takes the connection over, sends this, half-closes, and reads to the end; the answer's body is what came. */
  readonly hijack?: { readonly input: string; readonly upgrade: boolean };
  /**
   * Part of the answer that two engines must agree on. `shape`: of a document, the names and kinds of its fields. Default: all of it.
   */
  readonly compare?: 'status' | 'shape' | 'all';
}

/** Steps that build on each other. Each scene has containers of its own. */
export interface Scene {
  readonly name: string;
  readonly steps: readonly Step[];
  /** Why the whole scene goes another way with us: then only that we refuse what we say is compared. */
  readonly refusedBecause?: string;
}

/** An answer, with what differs from run to run replaced. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  /** Parsed when it is JSON, else text. */
  readonly body: unknown;
}
