import * as v from 'valibot';
import type { OperationVerb } from '../endpoint.ts';

/** How far an operation is. `signal`, `grace`, `kill` and `confirm` are the steps of a stop. */
export type OperationPhase = 'accepted' | 'signal' | 'grace' | 'kill' | 'confirm' | 'done';

/** How a stop ended: by itself within the grace, by SIGKILL, or before it was asked. */
export type StopOutcome = 'exited' | 'killed' | 'already-stopped';

/** Who asked. Pid, Uid and Gid come from the kernel (SO_PEERCRED), so only a unix socket has them. */
export interface OperationCaller {
  readonly UserAgent: string;
  readonly Pid?: number | undefined;
  readonly Uid?: number | undefined;
  readonly Gid?: number | undefined;
  /** `address:port` of a TCP caller; `in-process` for one in the engine's own process. */
  readonly Address?: string | undefined;
}

export interface OperationOutcome {
  /** `interrupted`: the engine ended before the operation did. */
  readonly Result: 'succeeded' | 'not-modified' | 'failed' | 'interrupted';
  readonly Detail?: StopOutcome | undefined;
  readonly ExitCode?: number | undefined;
  /** Docker's words; only when it failed. */
  readonly Error?: string | undefined;
  readonly TookMs: number;
}

/** One request that changes something, as the engine's ledger keeps it and `/fairlead/operations` shows it. */
export interface Operation {
  readonly Id: string;
  readonly Verb: OperationVerb;
  readonly Target: {
    readonly Type: 'container' | 'exec' | 'image' | 'volume';
    /** Empty while it is not known yet, as during a create. */
    readonly Id: string;
    readonly Name: string;
  };
  readonly Caller: OperationCaller;
  /** RFC 3339. */
  readonly StartedAt: string;
  /** The latest moment at which the engine owes an answer, from StartedAt; null: none. */
  readonly BoundMs: number | null;
  /** Stop and restart only; null: without end. */
  readonly GraceMs?: number | null | undefined;
  /** How long the caller said it would wait (`Fairlead-Budget`). */
  readonly BudgetMs?: number | undefined;
  readonly Phase: OperationPhase;
  /** Every phase so far with its time from StartedAt; the last one is `Phase`. */
  readonly Phases: readonly { readonly Phase: OperationPhase; readonly AtMs: number }[];
  /** Null while it runs. */
  readonly Outcome: OperationOutcome | null;
  /** When the caller hung up before the answer, from StartedAt; null: it did not. */
  readonly CallerLeftAtMs: number | null;
}

const phase = v.picklist(['accepted', 'signal', 'grace', 'kill', 'confirm', 'done']);
const nonNegative = v.pipe(v.number(), v.minValue(0));

/** Checks a persisted or received operation. */
export const operationSchema: v.GenericSchema<unknown, Operation> = v.object({
  Id: v.string(),
  Verb: v.picklist([
    'create',
    'start',
    'stop',
    'restart',
    'kill',
    'pause',
    'unpause',
    'rename',
    'remove',
    'update',
    'container-prune',
    'exec-create',
    'exec-start',
    'container-put-files',
    'container-commit',
    'image-load',
    'image-import',
    'image-tag',
    'image-remove',
    'image-prune',
    'volume-create',
    'volume-remove',
    'volume-prune',
  ]),
  Target: v.object({ Type: v.picklist(['container', 'exec', 'image', 'volume']), Id: v.string(), Name: v.string() }),
  Caller: v.object({
    UserAgent: v.string(),
    Pid: v.optional(v.number()),
    Uid: v.optional(v.number()),
    Gid: v.optional(v.number()),
    Address: v.optional(v.string()),
  }),
  StartedAt: v.string(),
  BoundMs: v.nullable(nonNegative),
  GraceMs: v.optional(v.nullable(nonNegative)),
  BudgetMs: v.optional(nonNegative),
  Phase: phase,
  Phases: v.array(v.object({ Phase: phase, AtMs: nonNegative })),
  Outcome: v.nullable(
    v.object({
      Result: v.picklist(['succeeded', 'not-modified', 'failed', 'interrupted']),
      Detail: v.optional(v.picklist(['exited', 'killed', 'already-stopped'])),
      ExitCode: v.optional(v.number()),
      Error: v.optional(v.string()),
      TookMs: nonNegative,
    }),
  ),
  CallerLeftAtMs: v.nullable(nonNegative),
});
