import type { Msg } from '@nats-io/nats-core';
import {
  commandMessageSchema,
  operationIdSchema,
  sessionRequestSchema,
  storedEventsSchema,
} from '@fairlead/protocol/fleet';
import * as v from 'valibot';
import type { FleetLog } from '../../lib/log.ts';
import { failure } from '../executor/failure.ts';
import type { Operations } from '../operations/operations.ts';
import type { Policy } from '../policy/policy.ts';
import { answerAboutRecordings } from '../sessions/answer-about-recordings.ts';
import type { Recordings } from '../sessions/recordings.ts';
import type { SessionHost } from '../sessions/session-host.ts';
import type { CommandQueue } from './command-queue.ts';
import type { Epoch } from './epoch.ts';
import type { HubLink } from './hub-link.ts';

/** Who does what the hub asks. */
export interface RequestDeps {
  readonly operations: Operations;
  readonly sessions: SessionHost;
  readonly recordings: Recordings;
  readonly policy: Policy;
  readonly link: HubLink;
  readonly log: FleetLog;
}

/** Answers what the hub asks over one connection, until that ends. A command is never answered: it is claimed. */
export async function answerRequests(deps: RequestDeps, epoch: Epoch, queue: CommandQueue): Promise<void> {
  for await (const message of epoch.requests()) {
    const name = message.subject.slice(message.subject.lastIndexOf('.') + 1);
    const document = readJson(message);
    if (name === 'queued') queue.hint();
    else if (name === 'command') void receive(deps, document);
    else if (name === 'stored') stored(deps, document);
    else if (name === 'cancel') void cancel(deps, document, message);
    else if (name === 'session') void open(deps, document, message);
    else if (name === 'recordings') void answerAboutRecordings(deps, document, message);
    else deps.log.warning('agent.request.unknown', { name });
  }
}

async function receive({ operations, log }: RequestDeps, document: unknown): Promise<void> {
  const command = v.safeParse(commandMessageSchema, document);
  if (command.success) {
    const received = await operations.receive(command.output);
    const why = failure('AGENT_STORAGE', 'the journal of this host takes nothing more: nothing was started');
    if (received === 'refused') operations.refuse(command.output.operationId, why);
    return;
  }
  const [issue] = command.issues;
  log.warning('agent.request.unreadable', { why: issue.message });
  const named = v.safeParse(operationIdSchema, document);
  if (named.success) operations.refuse(named.output.operationId, failure('INVALID', issue.message));
}

function stored({ link, log }: RequestDeps, document: unknown): void {
  const all = v.safeParse(storedEventsSchema, document);
  if (!all.success) return log.warning('agent.request.unreadable', { name: 'stored' });
  link.heardStored(all.output);
}

async function cancel({ operations, log }: RequestDeps, document: unknown, message: Msg): Promise<void> {
  const asked = v.safeParse(operationIdSchema, document);
  if (!asked.success) return log.warning('agent.request.unreadable', { name: 'cancel' });
  message.respond(JSON.stringify(await operations.cancel(asked.output.operationId)));
}

async function open({ sessions, log }: RequestDeps, document: unknown, message: Msg): Promise<void> {
  const asked = v.safeParse(sessionRequestSchema, document);
  if (!asked.success) return log.warning('agent.request.unreadable', { name: 'session' });
  message.respond(JSON.stringify(await sessions.open(asked.output)));
}

function readJson(message: Msg): unknown {
  try {
    return message.json();
  } catch {
    // The schema refuses it.
    return undefined;
  }
}
