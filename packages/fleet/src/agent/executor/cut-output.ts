import type { OutputChunk } from '@fairlead/client';
import { OUTPUT_CHARACTERS_MAX } from '@fairlead/protocol/fleet';

/** What is kept of an exec's output. */
export interface CutOutput {
  readonly stdout: string;
  readonly stderr: string;
  readonly truncated?: true;
}

/** Reads output to its end and keeps the first `OUTPUT_CHARACTERS_MAX` of each stream; memory stays small whatever comes. */
export async function cutOutput(output: AsyncIterable<OutputChunk>): Promise<CutOutput> {
  const streams = { stdout: new CutText(), stderr: new CutText() };
  for await (const { stream, bytes } of output) streams[stream].add(bytes);
  const [stdout, stderr] = [streams.stdout.end(), streams.stderr.end()];
  const truncated = streams.stdout.isCut || streams.stderr.isCut;
  return { stdout, stderr, ...(truncated ? { truncated } : {}) };
}

class CutText {
  readonly #decoder = new TextDecoder();
  #text = '';
  isCut = false;

  add(bytes: Uint8Array): void {
    if (!this.isCut) this.#take(this.#decoder.decode(bytes, { stream: true }));
  }

  end(): string {
    if (!this.isCut) this.#take(this.#decoder.decode());
    return this.#text;
  }

  #take(text: string): void {
    const whole = this.#text + text;
    this.isCut = whole.length > OUTPUT_CHARACTERS_MAX;
    this.#text = this.isCut ? whole.slice(0, OUTPUT_CHARACTERS_MAX).toWellFormed() : whole;
  }
}
