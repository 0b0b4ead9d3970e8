import type { FleetCommand, FleetOperation, FleetOutcome } from '@fairlead/protocol/fleet';
import { secondsText } from '../../format/human.ts';

/** What a command asks for, as it would be typed. */
export function commandWords(command: FleetCommand): string {
  switch (command.verb) {
    case 'create':
      return `create${command.name === undefined ? '' : ` ${command.name}`}${command.start === true ? ' and start' : ''}`;
    case 'exec':
      return `exec ${command.container} ${command.argv.join(' ')}`;
    case 'rename':
      return `rename ${command.container} ${command.name}`;
    case 'pull':
      return `pull ${command.image}`;
    case 'noop':
      return 'noop';
    case 'start':
    case 'stop':
    case 'restart':
    case 'kill':
    case 'remove':
    case 'pause':
    case 'unpause':
      return `${command.verb} ${command.container}`;
    default:
      return command satisfies never;
  }
}

/** How an operation ended, with the evidence for it; empty while there is no end. */
export function endWords(outcome: FleetOutcome | null): string {
  if (outcome === null) return '';
  const { failure, stop, exitCode, changed, tookMs, late } = outcome;
  if (failure !== undefined) return `${failure.code}: ${failure.message}`;
  const parts = [
    ...(stop === undefined ? [] : [stop]),
    ...(exitCode === undefined ? [] : [`exit ${exitCode}`]),
    ...(changed === false ? ['nothing to do'] : []),
    ...(tookMs === undefined ? [] : [`took ${secondsText(tookMs)}`]),
    ...(late === true ? ['the engine never answered: its state was looked at'] : []),
  ];
  return parts.join(', ');
}

/** One operation as a row of a list. */
export function fleetOperationRow(operation: FleetOperation): readonly string[] {
  const { id, hostName, command, actor, state, phase, boundRemainingMs, outcome, agentSilent, overdue } = operation;
  const left = boundRemainingMs === null ? [] : [`ends at the latest in ${secondsText(boundRemainingMs)}`];
  const flags = [...(agentSilent ? ['agent silent'] : []), ...(overdue ? ['overdue'] : [])];
  const told =
    outcome === null ? [...(phase === null ? [] : [phase]), ...left, ...flags].join(', ') : endWords(outcome);
  return [id, hostName, commandWords(command), `asked by ${actor.name}`, state, told];
}
