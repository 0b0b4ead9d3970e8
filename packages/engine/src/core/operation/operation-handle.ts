import type { OperationVerb } from '@fairlead/protocol';
import type { OperationProgress } from './progress.ts';

/** Who asked for an operation, as far as the connection tells. */
export interface OperationCaller {
  /** The request's User-Agent, cut to a bounded length; empty when there was none. */
  readonly userAgent: string;
  /** The process at the other end of a unix socket, as the kernel saw it connect. */
  readonly peer: { readonly pid: number; readonly uid: number; readonly gid: number } | undefined;
  /** Remote address of a TCP connection; `in-process` for one without a socket. */
  readonly address: string | undefined;
}

export interface OperationStart {
  /** What the caller wants it to be called; taken unless one under way has it. */
  readonly id?: string | undefined;
  readonly verb: OperationVerb;
  readonly caller: OperationCaller;
  /** How long the caller said it would still listen (`Fairlead-Budget`); undefined when it did not say. */
  readonly budgetMs: number | undefined;
}

export type OperationEnd =
  | { readonly outcome: 'succeeded' }
  | { readonly outcome: 'not-modified' }
  | { readonly outcome: 'failed'; readonly message: string };

/**
 * One mutating request on its way. Verbs report their progress on it; the API begins and ends it.
 *
 * Nothing here waits or throws: what the ledger cannot write it logs.
 */
export interface OperationHandle extends OperationProgress {
  readonly id: string;
  readonly verb: OperationVerb;
  /** The bound a verb reported, in milliseconds from the beginning; undefined while none did. */
  readonly boundMs: number | undefined;
  /** The caller hung up before the answer. The operation goes on. Only the first call counts. */
  callerLeft(): void;
  /** Only the first call counts. */
  end(end: OperationEnd): void;
}

/** What the API needs of the ledger to begin operations. */
export interface OperationBeginner {
  begin(start: OperationStart): OperationHandle;
}
