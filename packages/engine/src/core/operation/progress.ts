import type { Operation, OperationPhase, StopOutcome } from '@fairlead/protocol';

/** Where a verb reports how far it is; the ledger's handle is one. */
export interface OperationProgress {
  /** The container, exec or image that the operation turned out to be about. */
  target(target: Operation['Target']): void;
  /** Milliseconds the process was given before SIGKILL; Infinity never kills. */
  grace(ms: number): void;
  /** Milliseconds after which the engine owes an answer; Infinity has no end. */
  bound(ms: number): void;
  /** Entering the phase it is in already changes nothing. */
  phase(phase: OperationPhase): void;
  /** How the container's run ended. */
  stopped(evidence: { readonly outcome: StopOutcome; readonly exitCode: number | undefined }): void;
}
