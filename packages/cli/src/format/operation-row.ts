import type { Operation } from '@fairlead/protocol';
import { secondsText } from './human.ts';

/**
 * One operation as a line: `stop web  asked by Go-http-client/1.1  grace 20.0 s  caller hung up at 20.0 s  killed at 20.0 s  exit 137`.
 *
 * The first three cells are always there, so that they stand in columns; the rest is one text.
 */
export function operationRow(operation: Operation): readonly string[] {
  const { Verb, Target, Caller } = operation;
  const target = Target.Name === '' ? Target.Id.replace(/^sha256:/, '').slice(0, 12) : Target.Name;
  return [
    `${Verb} ${target}`.trimEnd(),
    `asked by ${Caller.UserAgent === '' ? (Caller.Address ?? 'somebody') : Caller.UserAgent}`,
    [...timesOf(operation), ...endOf(operation)].join('  '),
  ];
}

function timesOf(operation: Operation): readonly string[] {
  const { GraceMs, CallerLeftAtMs, Phases } = operation;
  const killed = Phases.find(({ Phase }) => Phase === 'kill');
  return [
    ...(GraceMs === undefined ? [] : [GraceMs === null ? 'grace without end' : `grace ${secondsText(GraceMs)}`]),
    ...(CallerLeftAtMs === null ? [] : [`caller hung up at ${secondsText(CallerLeftAtMs)}`]),
    ...(killed === undefined ? [] : [`killed at ${secondsText(killed.AtMs)}`]),
  ];
}

function endOf({ Outcome, Phase, BoundMs }: Operation): readonly string[] {
  if (Outcome === null) {
    return [`running (${Phase})`, ...(BoundMs === null ? [] : [`ends at the latest at ${secondsText(BoundMs)}`])];
  }
  const took = `took ${secondsText(Outcome.TookMs)}`;
  switch (Outcome.Result) {
    case 'succeeded':
      return [...(Outcome.ExitCode === undefined ? [] : [`exit ${Outcome.ExitCode}`]), took];
    case 'not-modified':
      return ['nothing to do', took];
    case 'failed':
      return [`failed: ${Outcome.Error ?? 'nobody knows why'}`, took];
    case 'interrupted':
      return ['interrupted: the engine ended first'];
    default:
      return Outcome.Result satisfies never;
  }
}
