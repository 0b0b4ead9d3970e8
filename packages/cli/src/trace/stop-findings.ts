import { hopReserveMs } from '@fairlead/protocol';
import type { Evidence, Finding } from './finding.ts';
import { stopArithmetic, type StopArithmetic } from './grace.ts';
import { connectionOf, leftBeforeAnswer } from './outcome.ts';
import type { End, Exchange, Recording } from './recording.ts';
import type { TraceEvent } from './trace-event.ts';
import { enoughSeconds, exactSeconds, requestText, shortRef } from './words.ts';

type Look = TraceEvent & { readonly type: 'look' };

/** The requests that may take as long as a process does to end. */
export const STOPPING: ReadonlySet<string | undefined> = new Set([
  'container.stop',
  'container.restart',
  'container.kill',
]);

/** A patience this close to the grace is the same number, set in two places. */
const SAME_MS = 250;
const SAME_SHARE = 0.05;
/** 128 + SIGKILL. */
const KILLED_EXIT_CODE = 137;

/** Clients that hung up while the engine still gave a container the time it had been told to give. */
export function stopFindings(recording: Recording): readonly Finding[] {
  return recording.exchanges.flatMap((exchange) => {
    if (!STOPPING.has(exchange.endpoint.name)) return [];
    const left = leftBeforeAnswer(exchange, connectionOf(recording, exchange));
    return left === undefined ? [] : [stopFinding(exchange, left, recording)];
  });
}

function stopFinding(exchange: Exchange, left: End, recording: Recording): Finding {
  const looks = recording.looks.filter((look) => look.exchange === exchange.number);
  const first = looks[0];
  const sum = stopArithmetic(exchange, { fate: first?.fate, killConfirmMs: first?.killConfirmMs });
  const endedAtMs = endOfProcess(exchange, looks, recording);
  const endedFirst = endedAtMs !== undefined && endedAtMs < left.atMs;
  const waitedMs = left.atMs - (exchange.askedAtMs ?? exchange.atMs);
  return {
    id: 'client-left-during-stop',
    level: 'problem',
    summary: `The client hung up first, after ${exactSeconds(waitedMs)} on \`${requestText(exchange)}\`, before the engine had answered.`,
    details: [whyNoAnswer(waitedMs, sum, endedFirst), ...fateText(exchange, { left, endedAtMs }, looks)],
    fixes: fixes(waitedMs, sum),
    evidence: evidence(exchange, left, looks),
    connection: exchange.connection,
    exchange: exchange.number,
  };
}

function whyNoAnswer(waitedMs: number, { grace, killConfirmMs, boundMs }: StopArithmetic, endedFirst: boolean): string {
  const due = `an answer was due after ${enoughSeconds(boundMs)} at the latest`;
  const confirm = `the engine may take up to ${enoughSeconds(killConfirmMs)} to see a killed process gone`;
  if (grace.source === 'kill') return `A kill has no grace, but ${confirm}: ${due}.`;
  if (grace.ms === Infinity)
    return `The engine had been told to wait without end before SIGKILL (${sourceText(grace)}), so it owed no answer at any time.`;
  const told = `The engine had been told to wait up to ${enoughSeconds(grace.ms)} before SIGKILL (${sourceText(grace)})`;
  if (waitedMs > boundMs) return `${told}, and ${confirm}: ${due}. It is overdue.`;
  const sooner = endedFirst ? 'need not have answered sooner' : 'could not have answered sooner';
  if (Math.abs(waitedMs - grace.ms) <= Math.max(SAME_MS, grace.ms * SAME_SHARE))
    return `${told}, so it ${sooner}: the client's timeout equals the grace, and that is always too short.`;
  if (waitedMs < grace.ms) return `${told}, so it ${sooner}: the client's timeout is shorter than the grace.`;
  return `${told}, and after that ${confirm}: ${due}. The client's timeout lies between the two.`;
}

function sourceText({ ms, source }: StopArithmetic['grace']): string {
  switch (source) {
    case 'request':
      return `\`t=${ms === Infinity ? '-1' : ms / 1000}\` in the request`;
    case 'container':
      return "the container's own StopTimeout";
    case 'default':
      return "the engine's default; the request has no `t` and the container no StopTimeout";
    case 'kill':
      return 'a kill has none';
    default:
      return source satisfies never;
  }
}

/**
 * When the process ended: by the tracer's own wait, or by the engine's clock where that is this machine's. Undefined: it still runs, or
 * nobody knows.
 */
function endOfProcess(exchange: Exchange, looks: readonly Look[], { begin }: Recording): number | undefined {
  const look = looks.find(({ fate }) => fate.known === 'state' && !fate.running);
  if (look?.fate.known !== 'state') return looks.find(({ when }) => when === 'ended')?.atMs;
  const finishedMs = Date.parse(look.fate.finishedAt) - Date.parse(begin?.startedAt ?? '');
  const isPossible = finishedMs >= exchange.atMs && finishedMs <= look.atMs;
  if (begin?.engine.startsWith('unix:') === true && isPossible) return finishedMs;
  return look.when === 'ended' ? look.atMs : undefined;
}

interface Ends {
  readonly left: End;
  readonly endedAtMs: number | undefined;
}

function fateText({ endpoint }: Exchange, { left, endedAtMs }: Ends, looks: readonly Look[]): readonly string[] {
  const last = looks.at(-1);
  const name = `"${shortRef(endpoint.ref)}"`;
  if (last === undefined) return [`Nobody looked at what became of ${name}; the engine goes on without the client.`];
  const since = exactSeconds(last.atMs - left.atMs);
  const { fate } = last;
  const wentOn = 'The engine went on without the client';
  switch (fate.known) {
    case 'gone':
      return [`${wentOn}: ${name} was gone ${since} later.`];
    case 'nothing':
      return [`What became of ${name} could not be found out: ${fate.why}.`];
    case 'state':
      break;
    default:
      fate satisfies never;
  }
  if (fate.running && endpoint.name === 'container.restart' && last.when === 'ended')
    return [`${wentOn}: ${name} was running again ${since} later.`];
  if (fate.running) return [`${name} was still running ${since} later, when the tracer stopped looking.`];
  const how = howEnded(fate.exitCode, fate.outOfMemory);
  if (endedAtMs === undefined)
    return [`${wentOn}: ${name} had stopped when the tracer looked, ${since} later: ${how}.`];
  if (endedAtMs < left.atMs)
    return [`${name} had stopped ${exactSeconds(left.atMs - endedAtMs)} before: ${how}. The answer was on its way.`];
  return [`${wentOn}: ${name} stopped ${exactSeconds(endedAtMs - left.atMs)} later: ${how}.`];
}

function howEnded(exitCode: number, outOfMemory: boolean): string {
  if (outOfMemory) return `exit ${exitCode}, killed for want of memory`;
  return exitCode === KILLED_EXIT_CODE ? `exit ${exitCode}, killed` : `exit ${exitCode}, by itself`;
}

function fixes(waitedMs: number, { grace, killConfirmMs, patienceMs, boundMs }: StopArithmetic): readonly string[] {
  if (grace.ms === Infinity) return ['Give the stop a grace (`t`), or let the client wait without a timeout.'];
  const parts = [
    ...(grace.source === 'kill' ? [] : [`${enoughSeconds(grace.ms)} of grace`]),
    `${enoughSeconds(killConfirmMs)} until a kill is confirmed`,
    `${enoughSeconds(patienceMs - boundMs)} of reserve`,
  ];
  const fitsSeconds = Math.floor((waitedMs - hopReserveMs(waitedMs) - killConfirmMs) / 1000);
  return [
    `Raise the client's timeout to at least ${enoughSeconds(patienceMs)}: ${parts.join(' + ')}.`,
    ...(fitsSeconds >= 0 && grace.source !== 'kill'
      ? [`Or ask for less: a grace of ${fitsSeconds} s fits into ${exactSeconds(waitedMs)}.`]
      : []),
  ];
}

function evidence(exchange: Exchange, left: End, looks: readonly Look[]): readonly Evidence[] {
  return [
    { atMs: exchange.askedAtMs ?? exchange.atMs, what: 'the request was complete' },
    {
      atMs: left.atMs,
      what: `the client ${left.how === 'reset' ? 'reset' : 'closed'} the connection; no byte of an answer had come`,
    },
    ...(exchange.answer === undefined
      ? []
      : [
          {
            atMs: exchange.answer.atMs,
            what: `the answer, to nobody: ${exchange.answer.status} ${exchange.answer.reason}`.trimEnd(),
          },
        ]),
    ...looks.map(({ atMs, when, fate }) => ({
      atMs,
      what: `the tracer's own ${when === 'ended' ? 'wait ended' : 'inspect'}: ${seen(fate)}`,
    })),
  ];
}

function seen(fate: Look['fate']): string {
  if (fate.known !== 'state') return fate.known === 'gone' ? 'it is gone' : 'no answer';
  return fate.running ? fate.status : `${fate.status}, exit code ${fate.exitCode}`;
}
