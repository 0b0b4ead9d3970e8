import type { AgentFinalState, FailureCode, FleetCommand, FleetOutcome } from '@fairlead/protocol/fleet';
import { killSignal } from '../executor/ask.ts';
import type { JournalEntry, StartEvidence } from '../journal/record.ts';

/** A container as the engine shows it. */
export interface ContainerNow {
  readonly id: string;
  readonly name: string;
  readonly running: boolean;
  readonly paused: boolean;
  readonly startedAt: string;
  readonly exitCode: number;
}

/** What the engine says now, as far as the operation is concerned. */
export interface EngineTruth {
  /** The container of the operation, by id; of a create: the one that carries its label. Undefined: there is none. */
  readonly container: ContainerNow | undefined;
  /** Of an exec that was made; undefined: the engine does not know it any more. */
  readonly exec?: { readonly running: boolean; readonly exitCode: number | null } | undefined;
  /** True when the engine may still be at it: the time it may take has not passed, and it was not started anew meanwhile. */
  readonly mayStillBeAtIt: boolean;
}

/** What follows: an end that is told, a longer look, or a request that is safe to send (again). */
export type Decision =
  | { readonly next: 'tell'; readonly state: AgentFinalState; readonly outcome: FleetOutcome }
  | { readonly next: 'look-again' }
  | { readonly next: 'start'; readonly containerId: string }
  | { readonly next: 'ask-again' };

/**
 * Decides what became of an operation whose answer never came, by what the engine shows. Nothing is done twice: only a pull is
 * asked for again, and a start that was never asked for. Pure.
 *
 * @param entry has STARTED and no end.
 */
export function decide(entry: JournalEntry, evidence: StartEvidence, truth: EngineTruth): Decision {
  const { command } = entry.message;
  switch (command.verb) {
    case 'create':
      return decideCreate(entry, truth);
    case 'exec':
      return decideExec(entry, truth);
    case 'pull':
    case 'noop':
      return { next: 'ask-again' };
    case 'remove':
      if (truth.container === undefined) return told(evidence, {});
      return unless(truth, lost(`the container is still there: it was not removed`, truth.container));
    case 'start':
    case 'stop':
    case 'restart':
    case 'kill':
    case 'pause':
    case 'unpause':
    case 'rename':
      return decideByState(command, evidence, truth);
    default:
      return command satisfies never;
  }
}

type ByState = Extract<FleetCommand, { verb: 'start' | 'stop' | 'restart' | 'kill' | 'pause' | 'unpause' | 'rename' }>;

function decideByState(command: ByState, evidence: StartEvidence, truth: EngineTruth): Decision {
  const { container } = truth;
  if (container === undefined) return decideGone(command, evidence);
  const startedAnew = container.startedAt !== evidence.container?.startedAt;
  switch (command.verb) {
    case 'start':
      if (container.running || startedAnew) return told(evidence, { container });
      return unless(truth, lost('it does not run, and has not been started', container));
    case 'stop':
      if (!container.running) return told(evidence, { container, stop: true });
      // Whether by itself or by a kill, its exit code would tell, and that is gone.
      if (startedAnew) return told(evidence, {});
      return unless(truth, lost('it still runs: the stop was not carried out', container));
    case 'restart':
      if (startedAnew) return told(evidence, { container });
      return unless(truth, lost(notRestarted(container), container));
    case 'kill':
      return decideKill(command.signal, evidence, truth);
    case 'pause':
    case 'unpause':
      if (container.paused === (command.verb === 'pause')) return told(evidence, { container });
      return unless(truth, lost(`it was not ${command.verb}d`, container));
    case 'rename':
      if (container.name === command.name) return told(evidence, { container });
      return unless(truth, lost(`it is still called ${container.name}`, container));
    default:
      return command satisfies never;
  }
}

/** A container that is gone was stopped; whether it was ever started, renamed or paused nobody can know. */
function decideGone(command: ByState, evidence: StartEvidence): Decision {
  if (command.verb === 'stop' || (command.verb === 'kill' && killSignal(command.signal) === undefined)) {
    return told(evidence, { late: true });
  }
  return unknown('the container is gone: whether it was done cannot be known', evidence);
}

function decideKill(signal: string | undefined, evidence: StartEvidence, truth: EngineTruth): Decision {
  const { container } = truth;
  const hasEnded = container?.running === false || container?.startedAt !== evidence.container?.startedAt;
  if (hasEnded) return told(evidence, container?.running === false ? { container } : {});
  if (killSignal(signal) === undefined) return unless(truth, lost('it still runs: it was not killed', container));
  return unless(truth, unknown('it runs: whether the signal arrived cannot be seen from outside', evidence));
}

function decideCreate(entry: JournalEntry, truth: EngineTruth): Decision {
  const { command } = entry.message;
  const { container } = truth;
  const wantsStart = command.verb === 'create' && command.start === true;
  if (container === undefined) {
    const wasMade = entry.steps.some(({ step }) => step === 'created');
    if (wasMade) return unknownText('the container was made and is gone');
    return unless(truth, lost('it was not created', undefined));
  }
  const isStarted = container.running || !isNever(container.startedAt);
  const outcome = { containerId: container.id, changed: true, late: true };
  if (!wantsStart || isStarted) return { next: 'tell', state: 'SUCCEEDED', outcome };
  const startAsked = entry.steps.some(({ step }) => step === 'start');
  if (!startAsked) return { next: 'start', containerId: container.id };
  return unless(truth, lost('it was created, and does not run', container));
}

function decideExec(entry: JournalEntry, truth: EngineTruth): Decision {
  const wasMade = entry.steps.some(({ step }) => step === 'exec');
  if (!wasMade) return lost('the program was not started', truth.container);
  const { exec } = truth;
  if (exec === undefined)
    return unknownText('the engine does not know the program any more: how it ended cannot be known');
  if (exec.running) return { next: 'look-again' };
  if (exec.exitCode === null) return unless(truth, lost('the program was not started', truth.container));
  const containerId = entry.evidence?.container?.id;
  // What it wrote went to a connection that is gone.
  const outcome = { containerId, changed: true, exitCode: exec.exitCode, truncated: true, late: true };
  return { next: 'tell', state: 'SUCCEEDED', outcome };
}

function told(
  evidence: StartEvidence,
  seen: { readonly container?: ContainerNow; readonly stop?: boolean; readonly late?: boolean },
): Decision {
  const { container, stop } = seen;
  const wasRunning = evidence.container?.running === true;
  const ended = container?.running === false ? { exitCode: container.exitCode } : {};
  const how = stop === true ? { stop: stopWord(wasRunning, container) } : {};
  const changed = stop === true ? wasRunning : true;
  const outcome = { containerId: container?.id ?? evidence.container?.id, changed, late: true, ...how, ...ended };
  return { next: 'tell', state: 'SUCCEEDED', outcome };
}

/** 128 + SIGKILL, without the engine's own word the best there is. */
const KILLED_EXIT_CODE = 137;

function stopWord(wasRunning: boolean, container: ContainerNow | undefined): 'already-stopped' | 'killed' | 'exited' {
  if (!wasRunning) return 'already-stopped';
  return container?.exitCode === KILLED_EXIT_CODE ? 'killed' : 'exited';
}

function notRestarted(container: ContainerNow): string {
  return container.running ? 'it still runs as before: it was not restarted' : 'it was stopped, and not started again';
}

/** While the engine may still be at it, its state is not the last word. */
function unless({ mayStillBeAtIt }: EngineTruth, decision: Decision): Decision {
  return mayStillBeAtIt ? { next: 'look-again' } : decision;
}

function lost(what: string, container: ContainerNow | undefined): Decision {
  return end('FAILED', what, container?.id);
}

function unknown(what: string, evidence: StartEvidence): Decision {
  return end('UNKNOWN', what, evidence.container?.id);
}

function unknownText(what: string): Decision {
  return end('UNKNOWN', what, undefined);
}

function end(state: 'FAILED' | 'UNKNOWN', what: string, containerId: string | undefined): Decision {
  const code: FailureCode = 'LOST';
  const message = `The engine's answer was lost. ${what[0]?.toUpperCase() ?? ''}${what.slice(1)}.`;
  return { next: 'tell', state, outcome: { containerId, failure: { code, message } } };
}

/** Go's zero time: never started. */
function isNever(time: string): boolean {
  return time === '' || time.startsWith('0001-01-01');
}
