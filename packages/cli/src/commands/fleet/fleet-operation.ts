import type { FleetOperation, FleetOperationEvent } from '@fairlead/protocol/fleet';
import { type Command, exactly } from '../../command.ts';
import { EXIT_FAILURE } from '../../exit-codes.ts';
import { toggle } from '../../flags/flag-types.ts';
import { plainJson } from '../../format/go-template-value.ts';
import { secondsText } from '../../format/human.ts';
import { commandWords, endWords } from './operation-words.ts';
import { hubFlags } from './hub-connection.ts';

/** `fairlead fleet operation` */
export const fleetOperationCommand: Command = {
  name: 'fleet operation',
  usage: '[OPTIONS] ID',
  summary: 'Show how far an operation is and was, against its bound; follow it to its end, or cancel it',
  args: exactly(1),
  define(flags) {
    const open = hubFlags(flags);
    const follow = flags.add('follow,f', 'Go on until it ends; the exit code is 1 when it did not succeed', toggle());
    const cancel = flags.add('cancel', 'Cancel it, and say what came of that', toggle());
    const json = flags.add('json', 'Print the operation and its events as lines of JSON', toggle());
    return async (context, [id = '']) => {
      await using fleet = await open(context);
      const operation = await fleet.operation(id);
      if (cancel.value) {
        const answer = await operation.cancel();
        const where = answer.result === 'NOT_CANCELLABLE' ? ` (${answer.phase ?? answer.state})` : '';
        await context.out(`${answer.result}${where}\n`);
        return answer.result === 'NOT_CANCELLABLE' ? EXIT_FAILURE : 0;
      }
      await context.out(json.value ? `${plainJson(operation.latest)}\n` : headLines(operation.latest));
      const seen = await fleet.history(id);
      for (const event of seen) await context.out(json.value ? `${plainJson(event)}\n` : eventLine(event));
      if (!follow.value) {
        if (!json.value) await context.out(whatIsLeft(operation.latest));
        return 0;
      }
      for await (const event of operation.follow({ after: seen.at(-1)?.seq ?? 0 })) {
        await context.out(json.value ? `${plainJson(event)}\n` : eventLine(event));
      }
      return (await operation.wait()).state === 'SUCCEEDED' ? 0 : EXIT_FAILURE;
    };
  },
};

function headLines(operation: FleetOperation): string {
  const { id, key, hostName, actor, mode, submittedAt } = operation;
  return [
    `${commandWords(operation.command)} on ${hostName}`,
    `  ${id}${key === id ? '' : `, key ${key}`}`,
    `  asked by ${actor.name} (${actor.role}), ${mode}, at ${submittedAt}`,
    '',
  ].join('\n');
}

/** One line of the timeline. */
function eventLine(event: FleetOperationEvent): string {
  const at = secondsText(event.atMs).padStart(10);
  switch (event.kind) {
    case 'accepted':
      return `${at}  accepted${boundWords(event)}\n`;
    case 'phase':
      return `${at}  ${event.phase}\n`;
    case 'overdue':
      return `${at}  overdue: ${event.failure?.message ?? ''}\n`;
    case 'cancel-asked':
      return `${at}  ${event.actor?.name ?? 'somebody'} asked to cancel it\n`;
    case 'ended':
      return `${at}  ${event.state}  ${endWords(event.outcome ?? null)}\n`;
    case 'submitted':
    case 'queued':
    case 'claimed':
    case 'started':
      return `${at}  ${event.kind}\n`;
    default:
      return event.kind satisfies never;
  }
}

function boundWords({ graceMs, boundMs, phases = [] }: FleetOperationEvent): string {
  const grace = typeof graceMs === 'number' ? `, grace ${secondsText(graceMs)}` : '';
  const bound =
    typeof boundMs === 'number' ? `, ends at the latest ${secondsText(boundMs)} after its start` : ', without a bound';
  return `${grace}${bound}${phases.length > 1 ? `: ${phases.join(', ')}` : ''}`;
}

function whatIsLeft(operation: FleetOperation): string {
  const { outcome, state, phase, boundRemainingMs, agentSilent, overdue } = operation;
  if (outcome !== null) return '';
  const left = boundRemainingMs === null ? '' : `, ends at the latest in ${secondsText(boundRemainingMs)}`;
  const silent = agentSilent ? '; its agent has not been heard of for 15 s, nothing follows from that' : '';
  return `            ${state}${phase === null ? '' : ` (${phase})`}${left}${overdue ? '; overdue' : ''}${silent}\n`;
}
