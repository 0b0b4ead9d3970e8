import type { Finding } from './finding.ts';
import { connectionOf, leftBeforeAnswer, type Outcome, outcomeOf, wasInterrupted } from './outcome.ts';
import type { Connection, Exchange, Recording } from './recording.ts';
import { STOPPING } from './stop-findings.ts';
import { exactSeconds, requestText } from './words.ts';

/** Engines that could not be reached, went away or did not answer, and clients that did not wait. */
export function connectionFindings(recording: Recording): readonly Finding[] {
  return [
    ...recording.connections.flatMap(ownFinding),
    ...recording.exchanges.flatMap((exchange) => exchangeFinding(exchange, recording)),
    ...wholeFindings(recording),
  ];
}

function ownFinding(connection: Connection): readonly Finding[] {
  const { failed, unparsable, number, openedAtMs } = connection;
  const shared = { connection: number, details: [], fixes: [] };
  return [
    ...(failed === undefined
      ? []
      : [
          {
            ...shared,
            id: 'engine-unreachable' as const,
            level: 'problem' as const,
            summary: `${failed.message} (${failed.errno})`,
            details: ['The client saw its connection close instead: the tracer had accepted it already.'],
            evidence: [{ atMs: openedAtMs, what: `connect: ${failed.errno}` }],
          },
        ]),
    ...(unparsable === undefined
      ? []
      : [
          {
            ...shared,
            id: 'not-http' as const,
            level: 'note' as const,
            summary: `What the ${unparsable.side} sent on connection #${number} is not HTTP/1.1 that could be followed: ${unparsable.why}.`,
            details: ['Every byte went through all the same; only this report lacks what came after.'],
            evidence: [{ atMs: unparsable.atMs, what: unparsable.why }],
          },
        ]),
  ];
}

/** Clients end a wait by leaving it, and do not wait for the answer to a resize when they end themselves. */
const LEFT_ON_PURPOSE: ReadonlySet<string | undefined> = new Set([
  'container.wait',
  'fairlead.waitOperation',
  'container.resize',
  'exec.resize',
]);

function exchangeFinding(exchange: Exchange, recording: Recording): readonly Finding[] {
  const connection = connectionOf(recording, exchange);
  if (connection?.unparsable !== undefined || connection?.failed !== undefined) return [];
  if (exchange.answer !== undefined && leftBeforeAnswer(exchange, connection) === undefined) return [];
  const outcome = outcomeOf(exchange, connection);
  switch (outcome.by) {
    case 'answer':
      return [];
    case 'client':
      if (STOPPING.has(exchange.endpoint.name) || LEFT_ON_PURPOSE.has(exchange.endpoint.name)) return [];
      return exchange.cuts.length > 0 ? [] : [clientLeft(exchange, { left: outcome, connection }, recording)];
    case 'engine':
      return exchange.cuts.some(({ side }) => side === 'engine') ? [] : [engineLeft(exchange, outcome, connection)];
    case 'nobody':
      return recording.finish === undefined ? [] : [neverAnswered(exchange, recording.finish.atMs)];
    default:
      return outcome satisfies never;
  }
}

type Left = Outcome & { readonly by: 'client' | 'engine' };

function clientLeft(
  exchange: Exchange,
  { left, connection }: { readonly left: Left; readonly connection: Connection | undefined },
  recording: Recording,
): Finding {
  const changes = exchange.endpoint.row?.operation !== undefined;
  const look = recording.looks.findLast(({ exchange: number }) => number === exchange.number);
  const seen =
    look?.fate.known === 'state' ? [`The tracer looked: "${exchange.endpoint.ref}" is ${look.fate.status}.`] : [];
  const dialledMs = dialledBefore(exchange, connection);
  return {
    id: 'client-left-before-answer',
    level: wasInterrupted(recording) || isPingMadeUpFor(exchange, recording) ? 'note' : 'problem',
    summary: `The client hung up first, after ${waited(exchange, left.atMs)} on \`${requestText(exchange)}\`, before the engine had answered.`,
    details: [
      ...(dialledMs === undefined
        ? []
        : [`Before that it had waited ${exactSeconds(dialledMs)} for the connection to the engine.`]),
      ...(changes
        ? ['The engine may go on with it all the same: whether it was done is not known to the client.', ...seen]
        : []),
    ],
    fixes: changes ? ['Before it is tried again, look whether it was done.'] : [],
    evidence: endEvidence(exchange, left),
    connection: exchange.connection,
    exchange: exchange.number,
  };
}

/** A connection that took longer than this to make is worth telling. */
const SLOW_DIAL_MS = 100;

/** How long the first request of a connection had waited for the way to the engine to be open. */
function dialledBefore(exchange: Exchange, connection: Connection | undefined): number | undefined {
  if (connection?.connectedAtMs === undefined) return undefined;
  const tookMs = connection.connectedAtMs - connection.openedAtMs;
  return tookMs > SLOW_DIAL_MS && exchange.atMs - connection.connectedAtMs < SLOW_DIAL_MS ? tookMs : undefined;
}

/** Clients ping with little patience, and go on when it ends. Source: docker/cli cli/command/cli.go, initializeFromClient. */
function isPingMadeUpFor({ endpoint, number }: Exchange, { all }: Recording): boolean {
  return endpoint.path === '/_ping' && all.some((other) => other.number > number && other.answer !== undefined);
}

function engineLeft(exchange: Exchange, left: Left, connection: Connection | undefined): Finding {
  const isReused =
    connection !== undefined &&
    exchange.atMs - connection.openedAtMs > exchange.atMs - left.atMs &&
    connection.engineBytes > 0;
  const shared = isReused
    ? ['The connection had been used before: an idle one may be closed by the engine at the moment it is used again.']
    : [];
  return {
    id: 'engine-left-before-answer',
    level: 'problem',
    summary: `The engine ${left.how === 'reset' ? 'reset' : 'closed'} the connection first, ${waited(exchange, left.atMs)} after \`${requestText(exchange)}\`, without an answer.`,
    details: ['The engine ended, broke down, or is something else than an engine.', ...shared],
    fixes: ['Look into the log of the engine at that time.'],
    evidence: endEvidence(exchange, left),
    connection: exchange.connection,
    exchange: exchange.number,
  };
}

function neverAnswered(exchange: Exchange, atMs: number): Finding {
  return {
    id: 'never-answered',
    level: 'problem',
    summary: `\`${requestText(exchange)}\` had no answer when the trace ended, after ${waited(exchange, atMs)}.`,
    details: ['Both sides still had the connection open.'],
    fixes: [],
    evidence: [{ atMs: exchange.atMs, what: 'the request' }],
    connection: exchange.connection,
    exchange: exchange.number,
  };
}

function wholeFindings({ connections, finish, begin, forgotten }: Recording): readonly Finding[] {
  const findings: Finding[] = [];
  const shared = { details: [], fixes: [], evidence: [] };
  if (connections.length === 0 && finish !== undefined && begin?.command.length !== 0) {
    findings.push({
      ...shared,
      id: 'no-connection',
      level: 'note',
      summary:
        'Nobody connected: the command did not talk to the engine, or talks to another one (-H, --context, an address of its own).',
    });
  }
  if (finish !== undefined && finish.openConnections > 0) {
    findings.push({
      ...shared,
      id: 'connections-left-open',
      level: 'note',
      summary: `${finish.openConnections === 1 ? '1 connection was' : `${finish.openConnections} connections were`} still open when the trace ended, and ended with it.`,
    });
  }
  if (forgotten > 0) {
    findings.push({
      ...shared,
      id: 'recording-incomplete',
      level: 'note',
      summary: `There were more requests than are remembered: the oldest ${forgotten} are not in this report.`,
    });
  }
  return findings;
}

function waited(exchange: Exchange, atMs: number): string {
  return exactSeconds(atMs - (exchange.askedAtMs ?? exchange.atMs));
}

function endEvidence(exchange: Exchange, left: Left): Finding['evidence'] {
  return [
    { atMs: exchange.askedAtMs ?? exchange.atMs, what: 'the request' },
    { atMs: left.atMs, what: `${left.by}: ${left.how}` },
  ];
}
