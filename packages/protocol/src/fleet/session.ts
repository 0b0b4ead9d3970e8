import type { FleetActor } from './operation.ts';

/** What a session carries. A `tunnel` is one connection to the host's engine; the others are the agent's own streams of a container. */
export type SessionKind = 'tunnel' | 'exec' | 'attach' | 'logs';

/** Opens a session on a host. */
export interface SessionRequest {
  readonly sessionId: string;
  readonly actor: FleetActor;
  /** SHA-256 (hex) of the token that re-attaches; the token itself stays with the caller and the hub. */
  readonly resumeTokenHash: string;
  readonly open:
    | { readonly kind: 'tunnel' }
    | {
        readonly kind: 'exec';
        readonly container: string;
        readonly argv: readonly string[];
        readonly tty: boolean;
        readonly stdin: boolean;
        readonly env?: readonly string[] | undefined;
        readonly user?: string | undefined;
        readonly workingDir?: string | undefined;
        readonly size?: { readonly rows: number; readonly columns: number } | undefined;
        readonly record?: boolean | undefined;
      }
    | { readonly kind: 'attach'; readonly container: string; readonly stdin: boolean }
    | {
        readonly kind: 'logs';
        readonly container: string;
        readonly follow: boolean;
        readonly tail?: number | undefined;
      };
}

/** How the agent answers a request to open. */
export type SessionAnswer =
  | { readonly opened: true; readonly tty: boolean }
  | { readonly opened: false; readonly code: string; readonly message: string };

/** Output kept by the agent for viewers that were away: bytes. */
export const SESSION_RING_BYTES: number = 1024 * 1024;
/** What may be on its way, at first, before the consumer has written it out. */
export const SESSION_CREDIT_BYTES_FIRST: number = 256 * 1024;
/** And at most. */
export const SESSION_CREDIT_BYTES_MAX: number = 4 * 1024 * 1024;
/** The longest payload of one frame. NATS shares a connection between sessions: longer ones would hold up Ctrl-C. */
export const SESSION_CHUNK_BYTES_MAX: number = 32 * 1024;
/** How long a session without any viewer is kept. */
export const SESSION_ABANDONED_MS = 60_000;

/**
 * One frame of a session: between caller and hub inside a stream or a WebSocket message, between hub and agent as one NATS
 * message each. Offsets count bytes of that direction since the session began, so that a resumed stream neither repeats nor skips.
 */
export type SessionFrame =
  /** `stream` 1 is stdout or a raw stream, 2 is stderr, 0 is input. */
  | { readonly kind: 'bytes'; readonly stream: 0 | 1 | 2; readonly offset: number; readonly bytes: Uint8Array }
  /** The receiver has written out everything before `offset`, and takes bytes up to `limit`. */
  | { readonly kind: 'credit'; readonly offset: number; readonly limit: number }
  /** No more bytes in this direction; the other goes on. */
  | { readonly kind: 'half-close'; readonly offset: number }
  /** Bytes that the ring no longer had. */
  | { readonly kind: 'skipped'; readonly offset: number; readonly count: number }
  | { readonly kind: 'resize'; readonly rows: number; readonly columns: number }
  | { readonly kind: 'signal'; readonly signal: string }
  /** The last frame of every session: without it the end is SESSION_LOST, never 0. `exitCode` null: there is none to have. */
  | { readonly kind: 'exit'; readonly exitCode: number | null; readonly reason: string }
  /** The caller is done; the agent ends its side. */
  | { readonly kind: 'close'; readonly reason: string }
  /** A viewer (re)joins: send from `offset` on. */
  | { readonly kind: 'join'; readonly viewer: string; readonly offset: number; readonly write: boolean };
