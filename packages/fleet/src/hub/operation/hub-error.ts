import { type EngineError, isEngineError } from '@fairlead/protocol';
import type { HubErrorBody, HubErrorCode } from '@fairlead/protocol/fleet';

/** What the hub refuses, with its code: one table gives the status. */
export class HubError extends Error {
  override readonly name = 'HubError';
  readonly code: HubErrorCode;

  constructor(code: HubErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  get body(): HubErrorBody {
    return { code: this.code, message: this.message };
  }
}

/** One table from code to HTTP status. */
export const STATUS_BY_CODE: Readonly<Record<HubErrorCode, number>> = {
  INVALID: 400,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
  KEY_CONFLICT: 409,
  TOO_LARGE: 413,
  TOO_MANY: 429,
  DENIED_BY_POLICY: 403,
  SESSION_LOST: 410,
  HOST_OFFLINE: 503,
  UNAVAILABLE: 503,
  INTERNAL: 500,
};

/** Anything thrown, as what a caller is told; what is nobody's fault but ours says nothing of its inside. */
export function asHubError(error: unknown): HubError {
  if (error instanceof HubError) return error;
  if (!isEngineError(error)) return new HubError('INTERNAL', 'the hub failed; its log says why', { cause: error });
  return new HubError(codeOf(error), error.message, { cause: error });
}

function codeOf({ kind }: EngineError): HubErrorCode {
  switch (kind) {
    case 'invalid-argument':
      return 'INVALID';
    case 'unauthorized':
      return 'UNAUTHORIZED';
    case 'forbidden':
      return 'FORBIDDEN';
    case 'not-found':
      return 'NOT_FOUND';
    case 'conflict':
      return 'CONFLICT';
    case 'too-large':
      return 'TOO_LARGE';
    case 'unavailable':
      return 'UNAVAILABLE';
    case 'not-modified':
    case 'not-implemented':
    case 'internal':
      return 'INTERNAL';
    default:
      return kind satisfies never;
  }
}
