import type { Msg } from '@nats-io/nats-core';
import { isEngineError } from '@fairlead/protocol';
import { type RecordingAnswer, type RecordingRequest, recordingRequestSchema } from '@fairlead/protocol/fleet';
import * as v from 'valibot';
import { type FleetLog, wordsOf } from '../../lib/log.ts';
import { denyActor, type Policy } from '../policy/policy.ts';
import type { Recordings } from './recordings.ts';

/** Who knows about recordings, and who may. */
export interface RecordingDeps {
  readonly recordings: Recordings;
  readonly policy: Policy;
  readonly log: FleetLog;
}

/** Answers the hub's question about this host's recordings, as far as its policy allows. Does not reject. */
export async function answerAboutRecordings(deps: RecordingDeps, document: unknown, message: Msg): Promise<void> {
  const asked = v.safeParse(recordingRequestSchema, document);
  if (!asked.success) return deps.log.warning('agent.request.unreadable', { name: 'recordings' });
  const { ask, actor } = asked.output;
  const answer = await answerTo(deps, asked.output).catch((error: unknown): RecordingAnswer => {
    deps.log.warning('agent.recordings.failed', { ask, actor: actor.name, error: wordsOf(error) });
    const code = isEngineError(error) && error.kind === 'not-found' ? 'NOT_FOUND' : 'UNAVAILABLE';
    return { kind: 'refused', code, message: error instanceof Error ? error.message : String(error) };
  });
  message.respond(JSON.stringify(answer));
}

async function answerTo({ recordings, policy }: RecordingDeps, asked: RecordingRequest): Promise<RecordingAnswer> {
  const denied = denyActor(policy, asked.actor);
  if (denied !== undefined) {
    return { kind: 'refused', code: 'DENIED_BY_POLICY', message: `${denied.message} (${denied.rule})` };
  }
  if (asked.ask === 'list') return { kind: 'list', recordings: await recordings.list() };
  const bytes = await recordings.read(asked.sessionId, asked.offset);
  return { kind: 'piece', base64: Buffer.from(bytes).toString('base64') };
}
