import { type Allowances, boundMs, type ContainerInspect, STOP_GRACE_DEFAULT_MS } from '@fairlead/protocol';
import type { FleetCommand, FleetPhase } from '@fairlead/protocol/fleet';

/** What the hub is told when a command is accepted. null: without end, or none. */
export interface Terms {
  readonly graceMs: number | null;
  readonly boundMs: number | null;
  readonly phases: readonly FleetPhase[];
}

const STOP_PHASES: readonly FleetPhase[] = ['resolve', 'signal', 'grace', 'kill', 'confirm'];
const WORK_PHASES: readonly FleetPhase[] = ['resolve', 'work'];

/**
 * Works out how long a command may take, from what was asked and what the container says of itself.
 *
 * @param container undefined when the command is about none, or about one that is not there.
 */
export function termsOf(command: FleetCommand, container: ContainerInspect | undefined, allowances: Allowances): Terms {
  switch (command.verb) {
    case 'stop':
    case 'restart': {
      const graceMs = graceOf(command.graceMs, container);
      const bound = boundMs(command.verb, { ...allowances, graceMs: graceMs ?? Infinity });
      const phases = command.verb === 'stop' ? STOP_PHASES : [...STOP_PHASES, 'work' as const];
      return { graceMs, boundMs: finite(bound), phases };
    }
    case 'create': {
      const start = command.start === true ? allowances.startMs : 0;
      return { graceMs: null, boundMs: finite(boundMs('create', allowances) + start), phases: WORK_PHASES };
    }
    case 'start':
    case 'kill':
    case 'remove':
    case 'pause':
    case 'unpause':
    case 'rename':
      return { graceMs: null, boundMs: finite(boundMs(command.verb, allowances)), phases: WORK_PHASES };
    // A program takes as long as it takes, and so does a registry.
    case 'exec':
    case 'pull':
      return { graceMs: null, boundMs: null, phases: WORK_PHASES };
    case 'noop':
      return { graceMs: null, boundMs: 0, phases: [] };
    default:
      return command satisfies never;
  }
}

/** What was asked, else the container's own, else the engine's default. A negative StopTimeout waits without end. */
function graceOf(asked: number | null | undefined, container: ContainerInspect | undefined): number | null {
  if (asked !== undefined) return asked;
  const seconds = container?.Config.StopTimeout ?? STOP_GRACE_DEFAULT_MS / 1000;
  return seconds < 0 ? null : seconds * 1000;
}

function finite(ms: number): number | null {
  return ms === Infinity ? null : ms;
}
