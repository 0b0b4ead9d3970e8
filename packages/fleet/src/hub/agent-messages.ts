import type { Msg } from '@nats-io/nats-core';
import {
  type AgentEvent,
  type ClaimRequest,
  type EngineReport,
  type FleetFailure,
  type FleetOutcome,
  type Heartbeat,
  type HelloRequest,
  type InventoryDelta,
  OUTPUT_CHARACTERS_MAX,
  variantBy,
} from '@fairlead/protocol/fleet';
import * as v from 'valibot';

/**
 * What agents say, checked. An agent is trusted with its own host and with nothing else, so everything has a limit; what
 * cannot be read is dropped, and the log says so.
 */
const TEXT_MAX = 4_096;
const PHASES_MAX = 16;
/** Containers of one host in one message, which is at most 1 MiB. */
const CONTAINERS_MAX = 20_000;
const LABELS_MAX = 256;
const OPERATIONS_MAX = 20_000;
/** Events of one operation in one message. */
const EVENTS_MAX = 64;

const text = v.pipe(v.string(), v.maxLength(TEXT_MAX));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const milliseconds = v.pipe(v.number(), v.finite(), v.minValue(0));
const phase = v.picklist(['resolve', 'signal', 'grace', 'kill', 'confirm', 'work']);
const output = v.pipe(v.string(), v.maxLength(OUTPUT_CHARACTERS_MAX + TEXT_MAX));

const failureShape = v.looseObject({ code: v.pipe(v.string(), v.maxLength(64)), message: text });
const outcomeShape = v.looseObject({
  stdout: v.optional(output),
  stderr: v.optional(output),
  failure: v.optional(failureShape),
});
/** What is checked is what the hub reads and what could be large; the rest is passed on as it was told. */
const failure = v.custom<FleetFailure>((value) => v.is(failureShape, value));
const outcome = v.custom<FleetOutcome>((value) => v.is(outcomeShape, value));

const event: v.GenericSchema<unknown, AgentEvent> = variantBy('kind', [
  v.object({
    kind: v.literal('accepted'),
    seq: count,
    atMs: milliseconds,
    graceMs: v.nullable(milliseconds),
    boundMs: v.nullable(milliseconds),
    phases: v.pipe(v.array(phase), v.maxLength(PHASES_MAX)),
  }),
  v.object({ kind: v.literal('started'), seq: count, atMs: milliseconds }),
  v.object({ kind: v.literal('phase'), seq: count, atMs: milliseconds, phase }),
  v.object({ kind: v.literal('overdue'), seq: count, atMs: milliseconds, failure }),
  v.object({
    kind: v.literal('done'),
    seq: count,
    atMs: milliseconds,
    state: v.picklist(['SUCCEEDED', 'FAILED', 'CANCELLED', 'UNKNOWN']),
    outcome,
  }),
]);

const engine: v.GenericSchema<unknown, EngineReport> = v.object({
  name: text,
  version: text,
  apiVersion: text,
  state: v.picklist(['ok', 'unreachable', 'silent']),
  containers: v.optional(count),
  running: v.optional(count),
  message: v.optional(text),
});

const claim = v.object({ operationId: v.pipe(v.string(), v.maxLength(80)) });

const hello: v.GenericSchema<unknown, HelloRequest> = v.object({
  linkVersion: count,
  agentVersion: text,
  engine,
  openOperations: v.pipe(v.array(v.pipe(v.string(), v.maxLength(80))), v.maxLength(OPERATIONS_MAX)),
});

const heartbeat: v.GenericSchema<unknown, Heartbeat> = v.object({ engine, runningOperations: count, sessions: count });

const container = v.object({
  id: v.pipe(v.string(), v.minLength(1), v.maxLength(256)),
  name: text,
  image: text,
  state: text,
  status: text,
  labels: v.pipe(
    v.record(v.string(), text),
    v.check((labels) => Object.keys(labels).length <= LABELS_MAX),
  ),
});

const inventory: v.GenericSchema<unknown, InventoryDelta> = v.object({
  full: v.boolean(),
  changed: v.pipe(v.array(container), v.maxLength(CONTAINERS_MAX)),
  removed: v.pipe(v.array(v.pipe(v.string(), v.maxLength(256))), v.maxLength(CONTAINERS_MAX)),
});

/** One event, or several of one operation in order. */
const several = v.pipe(v.array(event), v.minLength(1), v.maxLength(EVENTS_MAX));
const one = v.pipe(
  event,
  v.transform((only) => [only]),
);
const events: v.GenericSchema<unknown, readonly AgentEvent[]> = v.lazy((told) => (Array.isArray(told) ? several : one));

type Reader<T> = (message: Msg) => T | undefined;

/** Reads a claim; undefined when it is none. */
export const readClaim: Reader<ClaimRequest> = reader(claim);
/** Reads a hello; undefined when it is none. */
export const readHello: Reader<HelloRequest> = reader(hello);
/** Reads a heartbeat; undefined when it is none. */
export const readHeartbeat: Reader<Heartbeat> = reader(heartbeat);
/** Reads an inventory; undefined when it is none. */
export const readInventory: Reader<InventoryDelta> = reader(inventory);
/** Reads what is told of an operation; undefined when it cannot be read. */
export const readEvents: Reader<readonly AgentEvent[]> = reader(events);

function reader<T>(schema: v.GenericSchema<unknown, T>): Reader<T> {
  return (message) => {
    let parsed: unknown;
    try {
      parsed = message.json();
    } catch {
      // Not JSON: not a message of an agent.
      return undefined;
    }
    const result = v.safeParse(schema, parsed);
    return result.success ? result.output : undefined;
  };
}
