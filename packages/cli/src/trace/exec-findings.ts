import type { Evidence, Finding } from './finding.ts';
import { connectionOf, outcomeOf, wasInterrupted } from './outcome.ts';
import type { Exchange, Recording } from './recording.ts';
import { requestText, shortRef } from './words.ts';

/** Execs whose exit code the client cannot know. */
export function execFindings(recording: Recording): readonly Finding[] {
  return attachedStarts(recording).flatMap((start) => execFinding(start, recording));
}

/** The execs that ran with their streams attached, by their start, and whose exit code nobody asked for. */
export function unaskedExecs(recording: Recording): readonly Exchange[] {
  return attachedStarts(recording).filter((start) => inspectsOf(start, recording).length === 0);
}

/** Starts that became a stream: a detached one promises no exit code. */
function attachedStarts({ exchanges }: Recording): readonly Exchange[] {
  return exchanges.filter(
    ({ endpoint, facts, stream }) => endpoint.name === 'exec.start' && facts.detach !== true && stream !== undefined,
  );
}

/** What was asked about an exec after its start. */
function inspectsOf(start: Exchange, { all }: Recording): readonly Exchange[] {
  return all.filter(
    ({ endpoint, answer, atMs }) =>
      endpoint.name === 'exec.inspect' &&
      endpoint.ref === start.endpoint.ref &&
      answer?.status === 200 &&
      atMs >= start.atMs,
  );
}

function execFinding(start: Exchange, recording: Recording): readonly Finding[] {
  const outcome = outcomeOf(start, connectionOf(recording, start));
  const inspects = inspectsOf(start, recording);
  if (inspects.some(({ facts }) => facts.running === false)) return [];
  // Whoever leaves on purpose, by the detach keys or Ctrl-C, does not want the exit code.
  if (outcome.by === 'client') return [leftRunning(start, recording)];
  if (outcome.by === 'nobody') return [];
  return inspects.length > 0 ? [inspectedTooEarly(start, inspects)] : [neverAsked(start, recording)];
}

function neverAsked(start: Exchange, recording: Recording): Finding {
  const exitCode = recording.execLooks.find(({ exchange }) => exchange === start.number)?.exitCode;
  const looked = exitCode === undefined || exitCode === null ? undefined : `The tracer asked: it was ${exitCode}.`;
  return {
    id: 'exec-exit-code-not-asked',
    level: exitCode === 0 || wasInterrupted(recording) ? 'note' : 'problem',
    summary: `Nobody asked for the exit code of the exec \`${commandOf(start)}\`: its stream ended, and a stream's end does not say how the program ended.`,
    details: looked === undefined ? [] : [looked],
    fixes: ['Ask `GET /exec/{id}/json` after the end of the stream, and take its ExitCode.'],
    evidence: [...streamEvidence(start)],
    connection: start.connection,
    exchange: start.number,
  };
}

function inspectedTooEarly(start: Exchange, inspects: readonly Exchange[]): Finding {
  return {
    id: 'exec-inspected-while-running',
    level: 'problem',
    summary: `The exec \`${commandOf(start)}\` was inspected only while it still ran: what that says is no exit code.`,
    details: ['While `Running` is true, ExitCode is null with some engines and 0 with others.'],
    fixes: ['Inspect after the end of the stream, and again while `Running` is true.'],
    evidence: [
      ...streamEvidence(start),
      ...inspects.map(({ atMs, facts }) => ({
        atMs,
        what: `inspected: Running true, ExitCode ${String(facts.exitCode ?? null)}`,
      })),
    ],
    connection: start.connection,
    exchange: start.number,
  };
}

function leftRunning(start: Exchange, recording: Recording): Finding {
  const look = recording.execLooks.find(({ exchange }) => exchange === start.number);
  return {
    id: 'exec-left-running',
    level: 'note',
    summary: `The client left the exec \`${commandOf(start)}\` before its end. That does not end the program.`,
    details: look === undefined ? [] : [stillRuns(look.exitCode)],
    fixes: [],
    evidence: [...streamEvidence(start)],
    connection: start.connection,
    exchange: start.number,
  };
}

function stillRuns(exitCode: number | null | undefined): string {
  if (exitCode === undefined) return 'The tracer asked the engine, which does not know of it any more.';
  return exitCode === null ? 'The tracer asked: it still ran.' : `The tracer asked: it had ended with ${exitCode}.`;
}

function commandOf({ endpoint }: Exchange): string {
  return shortRef(endpoint.ref);
}

function streamEvidence(start: Exchange): readonly Evidence[] {
  const { atMs, answer } = start;
  return [
    { atMs, what: requestText(start) },
    ...(answer?.endAtMs === undefined ? [] : [{ atMs: answer.endAtMs, what: 'its stream ended' }]),
  ];
}
