import { EngineUnreachableError, type StopOptions } from '@fairlead/client';
import { FleetClient, type HubConnectOptions, type PendingFleetOperation } from '@fairlead/client/fleet';
import { EngineError, type ErrorKind } from '@fairlead/protocol';
import type { FailureCode, FleetCommand, FleetFailure, FleetOperation } from '@fairlead/protocol/fleet';
import type { ContainerVerbs } from '../container-verbs.ts';
import { EXIT_FAILURE, EXIT_USAGE, ExitError } from '../exit-codes.ts';

/** Verbs for one host of a fleet: each is an operation on the hub's record, which goes on when nobody listens. */
export function fleetVerbs(hub: HubConnectOptions, host: string): ContainerVerbs {
  const act = async (command: FleetCommand, patienceMs?: number): Promise<{ readonly late: boolean }> => {
    await using fleet = await FleetClient.open(hub);
    const operation = await fleet.submit({ host, command, patienceMs });
    return ended(await operation.wait({ patienceMs }), operation);
  };
  const stopLike = (
    verb: 'stop' | 'restart',
    ref: string,
    options: StopOptions,
  ): Promise<{ readonly late: boolean }> => {
    const { graceMs, withinMs, patienceMs, stopSignal: signal } = options;
    if (withinMs !== undefined) throw new ExitError(EXIT_USAGE, 'with --on, give the grace (--timeout), not --within');
    return act({ verb, container: ref, graceMs: graceMs === Infinity ? null : graceMs, signal }, patienceMs);
  };
  return {
    start: (ref) => act({ verb: 'start', container: ref }),
    stop: (ref, options) => stopLike('stop', ref, options),
    restart: (ref, options) => stopLike('restart', ref, options),
    kill: (ref, { stopSignal }) => act({ verb: 'kill', container: ref, signal: stopSignal }),
    remove: (ref, { force, v }) => act({ verb: 'remove', container: ref, force, volumes: v }),
    pause: (ref) => act({ verb: 'pause', container: ref }),
    unpause: (ref) => act({ verb: 'unpause', container: ref }),
    rename: (ref, name) => act({ verb: 'rename', container: ref, name }),
  };
}

function ended(operation: FleetOperation, { id }: PendingFleetOperation): { readonly late: boolean } {
  const { outcome, state, hostName } = operation;
  if (outcome?.failure !== undefined) throw failed(outcome.failure, hostName);
  if (outcome === null) throw new ExitError(EXIT_FAILURE, pendingText(operation));
  if (state === 'SUCCEEDED') return { late: outcome.late === true };
  throw new ExitError(EXIT_FAILURE, `${id} on host "${hostName}" ended as ${state}`);
}

/** What an engine's own refusal is called by an agent that does not say its kind. */
const KINDS: Readonly<Partial<Record<FailureCode, ErrorKind>>> = {
  NOT_FOUND: 'not-found',
  CONFLICT: 'conflict',
  INVALID: 'invalid-argument',
  NOT_IMPLEMENTED: 'not-implemented',
};

function failed({ code, message, kind, errno, address }: FleetFailure, host: string): Error {
  if (errno !== undefined && address !== undefined) return new EngineUnreachableError(message, { errno, address });
  const known = kind ?? KINDS[code];
  return new EngineError(
    known ?? 'unavailable',
    known === undefined ? `${code} on host "${host}": ${message}` : message,
  );
}

function pendingText({ id, hostName, phase, state, boundRemainingMs, agentSilent }: FleetOperation): string {
  const at = phase === null ? state : `${state}, ${phase}`;
  const end = boundRemainingMs === null ? '' : `, and ends at the latest in ${(boundRemainingMs / 1000).toFixed(1)} s`;
  const silent = agentSilent ? ' Its agent was not heard of for a while; nothing is concluded from that.' : '';
  return (
    `Gave up listening. The operation goes on, on host "${hostName}" (${at})${end}.${silent}\n` +
    `  wait for it:  fairlead fleet operation --follow ${id}`
  );
}
