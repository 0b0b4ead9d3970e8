import * as v from 'valibot';
import { ARGV_COUNT_MAX } from './command.ts';
import { FLEET_ROLES, type FleetActor } from './operation.ts';

/** What a session is opened for. A `tunnel` is one connection to the host's engine; the others are the agent's own streams of a container. */
export type SessionOpen =
  | { readonly kind: 'tunnel' }
  | {
      readonly kind: 'exec';
      readonly container: string;
      readonly argv: readonly string[];
      readonly tty?: boolean | undefined;
      /** Keeps the program's input open for whoever may write. */
      readonly stdin?: boolean | undefined;
      readonly env?: readonly string[] | undefined;
      readonly user?: string | undefined;
      readonly workingDir?: string | undefined;
      readonly size?: TerminalRect | undefined;
      readonly record?: SessionRecord | undefined;
    }
  | {
      readonly kind: 'attach';
      readonly container: string;
      readonly stdin?: boolean | undefined;
      readonly record?: SessionRecord | undefined;
    }
  | {
      readonly kind: 'logs';
      readonly container: string;
      readonly follow?: boolean | undefined;
      readonly tail?: number | undefined;
    };

/**
 * Keeps an asciicast of it on the host, written before anything is forwarded: `output` with the sizes, `all` with what is typed as
 * well, passwords included.
 */
export type SessionRecord = 'output' | 'all';

/** The kinds of sessions. */
export type SessionKind = SessionOpen['kind'];

/** A terminal's size in characters. */
export interface TerminalRect {
  readonly rows: number;
  readonly columns: number;
}

/**
 * `rpc.session`: the hub opens a session, or joins another viewer to one. Every viewer's connection is a channel of its own with
 * subjects of its own, so that what was on its way to a connection that broke never mixes with what its successor gets.
 */
export type SessionRequest = {
  readonly sessionId: string;
  readonly actor: FleetActor;
  /** SHA-256 (hex) of the token that joins; the token itself stays with the caller. */
  readonly tokenHash: string;
  /** The hub that has the viewer: an agent with a trunk to it may put the channel on that. */
  readonly hub?: string | undefined;
} &
  /** Without a channel there is no viewer yet: the first one joins. */
  (
    | { readonly ask: 'open'; readonly channel?: string | undefined; readonly open: SessionOpen }
    /** `write` when this viewer may type: the last one that asked for it does. From where on it reads, its first credit says. */
    | { readonly ask: 'join'; readonly channel: string; readonly write: boolean }
  );

/** How the agent answers. `code` is a `FailureCode` or `SESSION_LOST`. */
export type SessionAnswer =
  | {
      readonly opened: true;
      readonly kind: SessionKind;
      readonly tty: boolean;
      /** The hub's name for the trunk that the channel is on; absent when it is on NATS. */
      readonly trunk?: string | undefined;
    }
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
/** How often each side says on a quiet channel that it is there, and after how long a silent one counts as broken. */
export const SESSION_PING_MS = 10_000;
/** See `SESSION_PING_MS`. */
export const SESSION_SILENT_MS = 30_000;

const text = v.pipe(v.string(), v.minLength(1), v.maxLength(1_024));
const token = v.pipe(v.string(), v.regex(/^[a-z0-9_]{1,64}$/));
const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const strings = v.pipe(v.array(v.pipe(v.string(), v.maxLength(128 * 1024))), v.maxLength(ARGV_COUNT_MAX));
const record = v.optional(v.picklist(['output', 'all']));
const rect = v.object({ rows: v.pipe(whole, v.maxValue(0xffff)), columns: v.pipe(whole, v.maxValue(0xffff)) });

/** Checks what a caller asks a session for. */
export const sessionOpenSchema: v.GenericSchema<unknown, SessionOpen> = v.variant('kind', [
  v.object({ kind: v.literal('tunnel') }),
  v.object({
    kind: v.literal('exec'),
    container: text,
    argv: v.pipe(strings, v.minLength(1)),
    tty: v.optional(v.boolean()),
    stdin: v.optional(v.boolean()),
    env: v.optional(strings),
    user: v.optional(text),
    workingDir: v.optional(text),
    size: v.optional(rect),
    record,
  }),
  v.object({ kind: v.literal('attach'), container: text, stdin: v.optional(v.boolean()), record }),
  v.object({ kind: v.literal('logs'), container: text, follow: v.optional(v.boolean()), tail: v.optional(whole) }),
]);

/** Checks how an agent answers. */
export const sessionAnswerSchema: v.GenericSchema<unknown, SessionAnswer> = v.variant('opened', [
  v.object({
    opened: v.literal(true),
    kind: v.picklist(['tunnel', 'exec', 'attach', 'logs']),
    tty: v.boolean(),
    trunk: v.optional(token),
  }),
  v.object({ opened: v.literal(false), code: v.string(), message: v.string() }),
]);

const common = {
  sessionId: token,
  actor: v.object({ name: v.pipe(v.string(), v.maxLength(256)), role: v.picklist(FLEET_ROLES) }),
  tokenHash: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  hub: v.optional(token),
};

/** Checks a session request as it reaches an agent. */
export const sessionRequestSchema: v.GenericSchema<unknown, SessionRequest> = v.variant('ask', [
  v.object({ ask: v.literal('open'), ...common, channel: v.optional(token), open: sessionOpenSchema }),
  v.object({ ask: v.literal('join'), ...common, channel: token, write: v.boolean() }),
]);
