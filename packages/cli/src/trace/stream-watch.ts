import { DetachKeyMatcher, FrameDecoder, isEngineError, parseDetachKeys } from '@fairlead/protocol';
import type { Cut } from './trace-event.ts';

/** What is known about a stream before its first byte. */
export interface StreamHints {
  /** Undefined: the first bytes tell. */
  readonly framed: boolean | undefined;
  /** As the request named them; empty: the default ones. */
  readonly detachKeys: string;
}

/** Looks at the bytes of a hijacked connection: whether frames are whole, and whether detach keys were typed. */
export class StreamWatch {
  readonly #keys: DetachKeyMatcher | undefined;
  #framed: boolean | undefined;
  readonly #decoder = new FrameDecoder();

  constructor({ framed, detachKeys }: StreamHints) {
    this.#framed = framed;
    this.#keys = matcherOf(detachKeys);
  }

  /** @returns whether the detach keys are complete with these bytes. Only a terminal's are looked for. */
  fromClient(bytes: Uint8Array): boolean {
    return this.#framed !== true && this.#keys?.push(bytes).detached === true;
  }

  fromEngine(bytes: Uint8Array): void {
    this.#framed ??= looksFramed(bytes);
    if (!this.#framed) return;
    try {
      for (const _ of this.#decoder.push(bytes));
    } catch {
      // Not framed after all: a terminal's output may begin like a frame.
      this.#framed = false;
    }
  }

  /** Undefined until something came. */
  get framed(): boolean | undefined {
    return this.#framed;
  }

  /** What is missing when the stream ends now; undefined: nothing. */
  cut(): Cut | undefined {
    if (this.#framed !== true) return undefined;
    try {
      this.#decoder.end();
      return undefined;
    } catch (error) {
      const details = isEngineError(error) ? error.details : {};
      const { headerBytes, payloadBytesMissing } = details ?? {};
      return { within: 'frame', headerBytes: Number(headerBytes ?? 0), missingBytes: Number(payloadBytesMissing ?? 0) };
    }
  }
}

/** A frame begins with 0 to 3 and three zeros. Source: engine-api 5.3. */
function looksFramed(bytes: Uint8Array): boolean {
  return (bytes[0] ?? 0) <= 3 && bytes.subarray(1, 4).every((byte) => byte === 0);
}

function matcherOf(spec: string): DetachKeyMatcher | undefined {
  try {
    return new DetachKeyMatcher(parseDetachKeys(spec));
  } catch {
    // The engine refuses them, and says so itself.
    return undefined;
  }
}
