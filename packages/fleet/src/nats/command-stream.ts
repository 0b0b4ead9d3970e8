import {
  AckPolicy,
  DeliverPolicy,
  DiscardPolicy,
  type JetStreamManager,
  JetStreamApiError,
  ReplayPolicy,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream';
import { nanos } from '@nats-io/nats-core';
import { COMMAND_BYTES_MAX, COMMAND_STREAM, type HostId, hostSubjects } from '@fairlead/protocol/fleet';

/** Commands that may wait for one host. Source: fleet.md. */
export const QUEUED_PER_HOST_MAX = 64;
/** Longer than that no command waits, whatever its start-by time says: 7 days. */
export const QUEUED_MS_MAX: number = 7 * 24 * 3600 * 1000;
/** How often one is delivered before it counts as dead. */
export const DELIVERIES_MAX = 5;
/** An agent that took a command and says nothing for so long gets it again. `working()` holds it. */
export const ACK_WAIT_MS = 30_000;
/** Commands that an agent may hold without having acknowledged one. */
export const ACKS_PENDING_MAX = 4;
const DUPLICATE_WINDOW_MS = 120_000;
/** JetStream's codes for a stream, a consumer or a message that is not there. Source: nats-server server/errors.json. */
const NOT_FOUND_CODES: ReadonlySet<number> = new Set([10_014, 10_037, 10_057, 10_059]);
/** `maximum messages per subject exceeded`; for the whole stream, `maximum messages/bytes exceeded`. Same source. */
const FULL_CODES: ReadonlySet<number> = new Set([10_077, 10_047, 10_023]);

/** Makes the work-queue stream of queued commands, or brings an old one up to date. Idempotent. */
export async function ensureCommandStream(manager: JetStreamManager, replicas: number): Promise<void> {
  const limits = {
    subjects: ['f.*.cmd'],
    max_age: nanos(QUEUED_MS_MAX),
    max_msgs_per_subject: QUEUED_PER_HOST_MAX,
    max_msg_size: COMMAND_BYTES_MAX + 64 * 1024,
    duplicate_window: nanos(DUPLICATE_WINDOW_MS),
    num_replicas: replicas,
  };
  try {
    await manager.streams.info(COMMAND_STREAM);
    await manager.streams.update(COMMAND_STREAM, limits);
  } catch (error) {
    if (!isMissing(error)) throw error;
    await manager.streams.add({
      ...limits,
      name: COMMAND_STREAM,
      storage: StorageType.File,
      retention: RetentionPolicy.Workqueue,
      discard: DiscardPolicy.New,
      discard_new_per_subject: true,
    });
  }
}

/** Makes a host's durable consumer; one that is there with the same settings is left alone. 41 KB each, so only for hosts with a queue. */
export async function ensureConsumer(manager: JetStreamManager, host: HostId): Promise<void> {
  const { command, consumer } = hostSubjects(host);
  await manager.consumers.add(COMMAND_STREAM, {
    durable_name: consumer,
    filter_subject: command,
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.All,
    replay_policy: ReplayPolicy.Instant,
    ack_wait: nanos(ACK_WAIT_MS),
    max_deliver: DELIVERIES_MAX,
    max_ack_pending: ACKS_PENDING_MAX,
  });
}

/** Removes a host's consumer and what waits for it. Idempotent. */
export async function removeQueue(manager: JetStreamManager, host: HostId): Promise<void> {
  const { command, consumer } = hostSubjects(host);
  await manager.consumers.delete(COMMAND_STREAM, consumer).catch(ignoreMissing);
  await manager.streams.purge(COMMAND_STREAM, { filter: command });
}

/** Deletes one queued command; one that is gone already is fine. */
export async function deleteQueued(manager: JetStreamManager, sequence: number): Promise<void> {
  await manager.streams.deleteMessage(COMMAND_STREAM, sequence, false).catch(ignoreMissing);
}

/** True when JetStream refused a message because its host's queue, or the whole stream, is full. */
export function isQueueFull(error: unknown): boolean {
  return error instanceof JetStreamApiError && FULL_CODES.has(error.code);
}

/** True when JetStream says that a stream, a consumer or a message is not there. */
export function isMissing(error: unknown): boolean {
  return error instanceof JetStreamApiError && (NOT_FOUND_CODES.has(error.code) || error.status === 404);
}

function ignoreMissing(error: unknown): void {
  if (!isMissing(error)) throw error;
}
