import type { StopOutcome } from '@fairlead/protocol';

/** How an operation on a container ended. */
export interface OperationResult {
  /** False when there was nothing to do: it was stopped, or running, already. */
  readonly changed: boolean;
  /** How a run of the container ended, where one did: from the engine's answer or ledger, else told from the exit code. */
  readonly outcome: StopOutcome | undefined;
  /** Undefined when the container is gone already, never ran, or nobody asked. */
  readonly exitCode: number | undefined;
  readonly tookMs: number;
  /** The answer itself never came; the ledger or the container's state was looked at instead. */
  readonly late: boolean;
  /** Sentences of the engine for the person, for instance that the grace cannot fit into the caller's patience. */
  readonly warnings: readonly string[];
}
