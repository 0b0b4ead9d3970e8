import { EngineError, type ErrorKind } from '@fairlead/protocol';
import type { HubErrorCode } from '@fairlead/protocol/fleet';
import type { EngineUnreachableError } from '../errors.ts';

/** The hub answered, and refused. `code` is the hub's word for why, the message says more. */
export class HubRefusedError extends EngineError {
  readonly code: HubErrorCode | '';
  readonly httpStatus: number;

  constructor(
    kind: ErrorKind,
    message: string,
    refusal: { readonly code: HubErrorCode | ''; readonly httpStatus: number },
  ) {
    super(kind, message, { details: { ...refusal } });
    this.code = refusal.code;
    this.httpStatus = refusal.httpStatus;
  }
}

/** connect(2) to the hub failed, or one side did not take the other's certificate: nothing was asked of it. */
export class HubUnreachableError extends EngineError {
  readonly errno: string;
  readonly address: string;

  /** The transports are those to engines, and so are their sentences. */
  constructor(cause: EngineUnreachableError) {
    super('unavailable', cause.message.replaceAll(/\b(the) engine\b/gi, '$1 hub'), { cause });
    this.errno = cause.errno;
    this.address = cause.address;
  }
}

/** The connection to the hub ended before its answer was whole. What was asked may have been done: ask again with the same key. */
export class HubConnectionLostError extends EngineError {
  constructor(operation: string, cause: unknown) {
    super('unavailable', `the hub's answer to ${operation} never came whole: its connection ended`, { cause });
  }
}
