import { EngineError, FrameDecoder } from '@fairlead/protocol';

/** Some output of a process. `bytes` belongs to the receiver. With a terminal everything is `stdout`. */
export interface OutputChunk {
  readonly stream: 'stdout' | 'stderr';
  readonly bytes: Uint8Array;
}

/** Makes chunks of what an engine sends: framed, where stdout and stderr are told apart, or as it is. */
export class OutputDecoder {
  readonly #frames: FrameDecoder | undefined;

  constructor(framed: boolean) {
    this.#frames = framed ? new FrameDecoder() : undefined;
  }

  /** Take everything before the next call. @throws EngineError when it is not framed, or the engine says what failed. */
  *push(bytes: Uint8Array): Generator<OutputChunk, void, undefined> {
    if (this.#frames === undefined) {
      yield { stream: 'stdout', bytes };
      return;
    }
    for (const chunk of this.#frames.push(bytes)) {
      if (chunk.stream === 'system-error') throw new EngineError('internal', new TextDecoder().decode(chunk.bytes));
      yield { stream: chunk.stream === 'stderr' ? 'stderr' : 'stdout', bytes: chunk.bytes };
    }
  }

  /** @throws EngineError 'unavailable' when it ended inside a frame. */
  end(): void {
    this.#frames?.end();
  }
}
