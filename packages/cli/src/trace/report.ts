import type { Finding } from './finding.ts';
import { findingsText } from './findings-text.ts';
import { harOf } from './har.ts';
import type { Recording } from './recording.ts';
import { traceDocument } from './trace-document.ts';
import { verdict } from './verdict.ts';

/** How a trace is printed. */
export type ReportFormat = 'text' | 'json' | 'har';

/** The end of a report: for people the verdict, below the timeline; for programs the whole as one document. */
export function report(recording: Recording, format: ReportFormat): string {
  const findings = verdict(recording);
  switch (format) {
    case 'text':
      return `\n${findingsText(recording, findings)}`;
    case 'json':
      return documentText(traceDocument(recording, findings));
    case 'har':
      return documentText(harOf(recording, findings));
    default:
      return format satisfies never;
  }
}

/** Findings that nothing still to come can change, on one connection that is over: for a trace that goes on. */
export function settledFindings(recording: Recording): readonly Finding[] {
  return verdict(recording).filter(({ id, connection, exchange }) => {
    if (connection === undefined || id.startsWith('exec-')) return false;
    if (id !== 'client-left-during-stop') return true;
    const last = recording.looks.findLast((look) => look.exchange === exchange);
    return last !== undefined && (last.when !== 'asked' || last.fate.known !== 'state' || !last.fate.running);
  });
}

function documentText(document: object): string {
  return `${JSON.stringify(document, (_, value: unknown) => (value === Infinity ? null : value), 2)}\n`;
}
