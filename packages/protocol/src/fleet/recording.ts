import * as v from 'valibot';
import { FLEET_ROLES, type FleetActor } from './operation.ts';

/** A recording of a session, as its host keeps it. */
export interface FleetRecording {
  readonly sessionId: string;
  /** Whose program it was, and in which container. */
  readonly title: string;
  readonly command: string;
  readonly startedAt: string;
  readonly bytes: number;
  /** It still grows. */
  readonly isOpen: boolean;
}

/** `rpc.recordings`: what an agent keeps, and a piece of one of them. */
export type RecordingRequest = { readonly actor: FleetActor } & (
  | { readonly ask: 'list' }
  | { readonly ask: 'read'; readonly sessionId: string; readonly offset: number }
);

/** How the agent answers. The bytes of a piece are base64; there is no more when it is empty. */
export type RecordingAnswer =
  | { readonly kind: 'list'; readonly recordings: readonly FleetRecording[] }
  | { readonly kind: 'piece'; readonly base64: string }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string };

/** One piece of a recording: what fits into a message of NATS, and a half. */
export const RECORDING_PIECE_BYTES: number = 256 * 1024;

const actor = v.object({ name: v.pipe(v.string(), v.maxLength(256)), role: v.picklist(FLEET_ROLES) });
const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** Checks a question about recordings as it reaches an agent. A session's id is part of a file's name. */
export const recordingRequestSchema: v.GenericSchema<unknown, RecordingRequest> = v.variant('ask', [
  v.object({ ask: v.literal('list'), actor }),
  v.object({
    ask: v.literal('read'),
    actor,
    sessionId: v.pipe(v.string(), v.regex(/^[a-z0-9_]{1,64}$/)),
    offset: whole,
  }),
]);

/** Checks how an agent answers. */
export const recordingAnswerSchema: v.GenericSchema<unknown, RecordingAnswer> = v.variant('kind', [
  v.object({
    kind: v.literal('list'),
    recordings: v.array(
      v.object({
        sessionId: v.string(),
        title: v.string(),
        command: v.string(),
        startedAt: v.string(),
        bytes: whole,
        isOpen: v.boolean(),
      }),
    ),
  }),
  v.object({ kind: v.literal('piece'), base64: v.string() }),
  v.object({ kind: v.literal('refused'), code: v.string(), message: v.string() }),
]);
