import { type TransferProgress, writeAll } from '@fairlead/client';
import type { ProgressMessage } from '@fairlead/protocol';
import type { CliContext } from '../../context.ts';

/** Layers that have a line of their own on a terminal; those of a longer list share what a screen has. */
const LINES_MAX = 200;

/**
 * Prints what an engine says of a transfer, as Docker does: on a terminal every layer has a line that moves, elsewhere each step is one.
 *
 * `to` is standard output, or standard error where the output is another's.
 */
export async function showProgress(
  context: CliContext,
  progress: AsyncIterable<TransferProgress>,
  to: 'stdout' | 'stderr' = 'stdout',
): Promise<void> {
  const stream = context.terminal[to];
  const lines = stream.isTTY === true ? new MovingLines() : undefined;
  for await (const { message } of progress) {
    if (message === undefined) continue;
    const text = lines === undefined ? plain(message) : lines.take(message);
    if (text !== '') await writeAll(stream, text);
  }
}

/** A bar that moves belongs to a terminal. */
function plain(message: ProgressMessage): string {
  const { id, status, stream, progress = '' } = message;
  if (stream !== undefined) return stream;
  if (status === undefined || progress !== '' || (message.progressDetail?.total ?? 0) > 0) return '';
  return `${id === undefined ? '' : `${id}: `}${status}\n`;
}

/** One line per layer, rewritten in place. Source: moby pkg/jsonmessage. */
class MovingLines {
  readonly #lines = new Map<string, number>();

  take(message: ProgressMessage): string {
    const { id = '', status, progress = '', progressDetail } = message;
    if (id === '' || status === undefined || progressDetail === undefined) {
      // A line in between: those above are out of reach from now on.
      this.#lines.clear();
      return plain(message);
    }
    const text = `${id}: ${status}${progress === '' ? '' : ` ${progress}`}`;
    const known = this.#lines.get(id);
    if (known === undefined) {
      if (this.#lines.size >= LINES_MAX) return '';
      this.#lines.set(id, this.#lines.size);
      return `${text}\n`;
    }
    const up = this.#lines.size - known;
    return `\u001b[${up}A\r\u001b[2K${text}\u001b[${up}B\r`;
  }
}
