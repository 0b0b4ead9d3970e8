import { EngineError, type FrameChunk, FrameDecoder } from '@fairlead/protocol';

/** Some output of a process. `bytes` belongs to the receiver. With a terminal everything is `stdout`. */
export interface OutputChunk {
  readonly stream: 'stdout' | 'stderr';
  readonly bytes: Uint8Array;
}

/** What an engine says in a frame of its own when it fails in the middle. Longer sentences are cut. */
const SYSTEM_ERROR_BYTES_MAX = 64 * 1024;

/** Makes chunks of what an engine sends: framed, where stdout and stderr are told apart, or as it is. */
export class OutputDecoder {
  readonly #frames: FrameDecoder | undefined;
  #systemError: Uint8Array | undefined;

  /** Where frames are records of a log their beginnings matter; else small ones are put together. */
  constructor(output: { readonly framed: boolean; readonly records?: boolean }) {
    this.#frames = output.framed ? new FrameDecoder({ gather: output.records !== true }) : undefined;
  }

  /** @throws EngineError when it is not framed as it should be; what came before is handed out first. */
  push(bytes: Uint8Array): readonly (OutputChunk & { readonly begins: boolean })[] {
    if (this.#frames === undefined) return [{ stream: 'stdout', bytes, begins: false }];
    const chunks: (OutputChunk & { readonly begins: boolean })[] = [];
    for (const { stream, bytes: payload, begins } of this.#frames.push(bytes)) {
      if (stream === 'system-error') this.#hear(payload);
      else chunks.push({ stream: stream === 'stderr' ? 'stderr' : 'stdout', bytes: payload, begins });
    }
    return chunks;
  }

  /** @throws EngineError 'unavailable' when it ended inside a frame, 'internal' with what the engine says went wrong. */
  end(): void {
    if (this.#systemError !== undefined) throw new EngineError('internal', new TextDecoder().decode(this.#systemError));
    this.#frames?.end();
  }

  #hear(payload: FrameChunk['bytes']): void {
    const heard = Buffer.concat([this.#systemError ?? new Uint8Array(), payload]);
    this.#systemError = heard.subarray(0, SYSTEM_ERROR_BYTES_MAX);
  }
}
