const SECOND_MS = 1000;

/** `2026-11-22 10:43:25 +0000 UTC`, as Go prints a time. */
export function goTime(at: Date): string {
  return `${at.toISOString().slice(0, 19).replace('T', ' ')} +0000 UTC`;
}

/** `20.0 s`, for the operation table. */
export function secondsText(ms: number): string {
  return `${(ms / SECOND_MS).toFixed(1)} s`;
}

/** At most `width` characters; what is cut ends in `…`. Source: docker/cli formatter.Ellipsis. */
export function ellipsis(whole: string, width: number): string {
  const letters = Array.from(whole);
  return letters.length <= width ? whole : `${letters.slice(0, width - 1).join('')}…`;
}

/** `a=1,b=2` */
export function labelsText(labels: Readonly<Record<string, string>> | null | undefined): string {
  return Object.entries(labels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .toSorted()
    .join(',');
}
