import { humanSize, type ProgressMessage } from '@fairlead/protocol';

/** Characters of the bar. Source: moby, pkg/jsonmessage. */
const BAR_CHARACTERS = 50;

/**
 * One line of a layer's progress with the bar that docker draws for clients that draw none.
 * @param id 12 hex characters. Source: moby v28, pkg/jsonmessage, JSONProgress.String.
 */
export function progressLine(
  status: string,
  id: string,
  bytes: { readonly current: number; readonly total: number },
): ProgressMessage {
  const { current, total } = bytes;
  return { status, progressDetail: { current, total }, progress: bar(current, total), id };
}

function bar(current: number, total: number): string {
  const done = Math.min(BAR_CHARACTERS, total > 0 ? Math.trunc(((current / total) * 100) / 2) : BAR_CHARACTERS);
  const sizes = `${humanSize(current, 4).padStart(8)}/${humanSize(total, 4)}`;
  return `[${'='.repeat(done)}>${' '.repeat(BAR_CHARACTERS - done)}] ${sizes}`;
}
