import { FrameDecoder } from '@fairlead/protocol';
import { redactJson } from './redact.ts';
import type { BodyExcerpt } from './trace-event.ts';

/** What may be shown of a body. */
export interface BodyWishes {
  /** Longest excerpt; 0: none. */
  readonly limitBytes: number;
  /** Also credentials and the values of environment variables. */
  readonly secrets: boolean;
}

/** How a body is to be read before it is shown. */
export type BodyForm = 'json' | 'frames' | 'text';

/** Keeps the beginning of a body, to learn from it and to show it. The count is of the whole. */
export class BodyKeeper {
  readonly #limitBytes: number;
  readonly #pieces: Uint8Array[] = [];
  #kept = 0;
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Copies what is still kept: the bytes may be used again. */
  add(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    const room = this.#limitBytes - this.#kept;
    if (room <= 0 || bytes.length === 0) return;
    const piece = bytes.slice(0, room);
    this.#kept += piece.length;
    this.#pieces.push(piece);
  }

  /** All of it, or its beginning. */
  text(): string {
    return Buffer.concat(this.#pieces).toString('utf8');
  }

  /** What may be shown. Undefined: nothing, because nobody asked, it is empty or it is not text. */
  excerpt(wishes: BodyWishes, form: BodyForm): BodyExcerpt | undefined {
    if (wishes.limitBytes === 0 || this.#kept === 0) return undefined;
    const whole = form === 'frames' ? unframed(this.#pieces) : this.text();
    // Node's decoder puts U+FFFD for what is no UTF-8; a cut at the end may make one, too.
    if (/[\0\ufffd]/.test(whole.slice(0, -1))) return undefined;
    const shown = form === 'json' && !wishes.secrets ? jsonLines(whole) : whole;
    if (shown === undefined)
      return { text: '(not shown: it cannot be searched for secrets)', bytes: this.#bytes, cut: true };
    const text = shown.slice(0, wishes.limitBytes);
    return { text, bytes: this.#bytes, cut: text.length < shown.length || this.#kept < this.#bytes };
  }
}

function unframed(pieces: readonly Uint8Array[]): string {
  const decoder = new FrameDecoder();
  const payloads: Uint8Array[] = [];
  for (const piece of pieces) for (const { bytes } of decoder.push(piece)) payloads.push(bytes);
  return Buffer.concat(payloads).toString('utf8');
}

/** One document, or one on each line. */
function jsonLines(text: string): string | undefined {
  const whole = redactJson(text);
  if (whole !== undefined) return whole;
  const lines = text.split('\n').map((line) => (line.trim() === '' ? '' : redactJson(line)));
  return lines.includes(undefined) ? undefined : lines.join('\n');
}
