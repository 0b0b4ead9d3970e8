import type { Finding } from './finding.ts';
import type { Recording } from './recording.ts';

/** The verdict as a person reads it; ends with a line end. */
export function findingsText(recording: Recording, findings: readonly Finding[]): string {
  const problems = findings.filter(({ level }) => level === 'problem');
  const headline = problems.length === 0 ? nothingWrong(recording) : countText(problems.length);
  return [headline, ...findings.map(findingText)].map((part) => `${part}\n`).join('\n');
}

/** One finding: what, why, how to mend it, and what shows it. */
export function findingText({ level, summary, details, fixes, evidence, connection }: Finding): string {
  const mark = level === 'problem' ? '✗' : '·';
  const where = connection === undefined ? '' : `#${connection} `;
  return [
    `${mark} ${summary}`,
    ...details.map((detail) => `    ${detail}`),
    ...fixes.map((fix, at) => `    ${at === 0 ? 'Fix:' : '    '} ${fix}`),
    ...(evidence.length === 0 ? [] : ['    Seen:']),
    ...evidence.map(({ atMs, what }) => `      ${where}${(atMs / 1000).toFixed(3)}  ${what}`),
  ].join('\n');
}

function countText(count: number): string {
  return count === 1 ? '1 problem:' : `${count} problems:`;
}

function nothingWrong({ exchanges, connections }: Recording): string {
  const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;
  return `Nothing wrong: ${plural(exchanges.length, 'request')} on ${plural(connections.length, 'connection')}.`;
}
