import type { Msg } from '@nats-io/nats-core';
import { commandMessageSchema, operationIdSchema, type SessionRequest } from '@fairlead/protocol/fleet';
import * as v from 'valibot';
import type { FleetLog } from '../../lib/log.ts';
import { failure } from '../executor/failure.ts';
import type { Operations } from '../operations/operations.ts';
import { denySession, type Policy } from '../policy/policy.ts';
import type { SessionHost } from '../sessions/session-host.ts';
import type { CommandQueue } from './command-queue.ts';
import type { Epoch } from './epoch.ts';

/** Who does what the hub asks. */
export interface RequestDeps {
  readonly operations: Operations;
  readonly sessions: SessionHost;
  readonly policy: Policy;
  readonly log: FleetLog;
}

/** Answers what the hub asks over one connection, until that ends. A command is never answered: it is claimed. */
export async function answerRequests(deps: RequestDeps, epoch: Epoch, queue: CommandQueue): Promise<void> {
  for await (const message of epoch.requests()) {
    const name = message.subject.slice(message.subject.lastIndexOf('.') + 1);
    const document = readJson(message);
    if (name === 'queued') queue.hint();
    else if (name === 'command') void receive(deps, document);
    else if (name === 'cancel') void cancel(deps, document, message);
    else if (name === 'session') void open(deps, document, message);
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

async function cancel({ operations, log }: RequestDeps, document: unknown, message: Msg): Promise<void> {
  const asked = v.safeParse(operationIdSchema, document);
  if (!asked.success) return log.warning('agent.request.unreadable', { name: 'cancel' });
  message.respond(JSON.stringify(await operations.cancel(asked.output.operationId)));
}

async function open({ sessions, policy, log }: RequestDeps, document: unknown, message: Msg): Promise<void> {
  const asked = v.safeParse(sessionSchema, document);
  if (!asked.success) return log.warning('agent.request.unreadable', { name: 'session' });
  const denied = denySession(policy, asked.output.open.kind, asked.output.actor);
  const answer =
    denied === undefined
      ? await sessions.open(asked.output)
      : { opened: false, code: 'DENIED_BY_POLICY', message: `${denied.message} (${denied.rule})` };
  message.respond(JSON.stringify(answer));
}

const text = v.pipe(v.string(), v.minLength(1), v.maxLength(1_024));
const texts = v.pipe(v.array(v.pipe(v.string(), v.maxLength(128 * 1024))), v.maxLength(1_000));
const size = v.object({ rows: v.number(), columns: v.number() });

const sessionSchema: v.GenericSchema<unknown, SessionRequest> = v.object({
  sessionId: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,80}$/)),
  actor: v.object({ name: text, role: v.picklist(['view', 'operate', 'exec', 'admin']) }),
  resumeTokenHash: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  open: v.variant('kind', [
    v.object({ kind: v.literal('tunnel') }),
    v.object({
      kind: v.literal('exec'),
      container: text,
      argv: texts,
      tty: v.boolean(),
      stdin: v.boolean(),
      env: v.optional(texts),
      user: v.optional(text),
      workingDir: v.optional(text),
      size: v.optional(size),
      record: v.optional(v.boolean()),
    }),
    v.object({ kind: v.literal('attach'), container: text, stdin: v.boolean() }),
    v.object({ kind: v.literal('logs'), container: text, follow: v.boolean(), tail: v.optional(v.number()) }),
  ]),
});

function readJson(message: Msg): unknown {
  try {
    return message.json();
  } catch {
    // The schema refuses it.
    return undefined;
  }
}
