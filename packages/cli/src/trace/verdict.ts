import { answerFindings } from './answer-findings.ts';
import { connectionFindings } from './connection-findings.ts';
import { execFindings } from './exec-findings.ts';
import type { Finding } from './finding.ts';
import type { Recording } from './recording.ts';
import { stopFindings } from './stop-findings.ts';
import { streamFindings } from './stream-findings.ts';

/** What a recording shows, problems first, each group in the order in which it happened. Pure: the same recording, the same verdict. */
export function verdict(recording: Recording): readonly Finding[] {
  const findings = [
    ...stopFindings(recording),
    ...connectionFindings(recording),
    ...streamFindings(recording),
    ...execFindings(recording),
    ...answerFindings(recording),
  ];
  const startedAt = ({ evidence }: Finding): number => evidence[0]?.atMs ?? Infinity;
  return findings.toSorted(
    (a, b) => Number(a.level === 'note') - Number(b.level === 'note') || startedAt(a) - startedAt(b),
  );
}
