import type { Finding } from './finding.ts';
import { connectionOf, outcomeOf } from './outcome.ts';
import type { Exchange, Recording } from './recording.ts';
import { TRACE_FORMAT } from './trace-event.ts';

/** The whole trace as one JSON document. Its shape is in docs/trace.md; fields may be added, none changes its meaning. */
export function traceDocument(recording: Recording, findings: readonly Finding[]): object {
  const { begin, finish, connections, exchanges, looks, execLooks } = recording;
  return {
    format: TRACE_FORMAT,
    startedAt: begin?.startedAt ?? null,
    engine: begin?.engine ?? null,
    command: begin?.command ?? [],
    exitCode: finish?.exitCode ?? null,
    interrupted: finish?.interrupted ?? false,
    tookMs: finish?.atMs ?? null,
    problems: findings.filter(({ level }) => level === 'problem').length,
    findings,
    connections: connections.map(({ ends, ...connection }) => ({
      ...connection,
      firstToEnd: ends[0]?.side ?? null,
      ends,
    })),
    exchanges: exchanges.map((exchange) => exchangeDocument(exchange, recording)),
    looks,
    execLooks,
  };
}

function exchangeDocument(exchange: Exchange, recording: Recording): object {
  const { endpoint, ...rest } = exchange;
  return {
    ...rest,
    endpoint: endpoint.name ?? null,
    ref: endpoint.ref,
    apiVersion: endpoint.version ?? null,
    outcome: outcomeOf(exchange, connectionOf(recording, exchange)),
  };
}
