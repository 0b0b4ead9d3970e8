/** `sha256:` and 64 lower-case hex characters. */
export type Digest = string;

/** One blob of the store. */
export interface Blob {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/** What a write accepts. */
export interface WriteBlob {
  /** Writing stops with EngineError 'too-large' beyond this. */
  readonly bytesMax: number;
  /** When given, other content is refused with EngineError 'invalid-argument'. */
  readonly expected?: Digest;
  readonly signal: AbortSignal;
}

/** Immutable bytes, named by their SHA-256. Every method may be repeated and called at the same time. */
export interface ContentStore {
  /**
   * Streams a blob in. It appears under its digest whole and durable, or not at all; one that is there already is kept.
   * Nothing is left behind by a write that failed or was aborted.
   */
  write(source: AsyncIterable<Uint8Array>, options: WriteBlob): Promise<Blob>;
  /** Streams a blob out; breaking off the iteration frees the descriptor. @throws EngineError 'not-found'. */
  read(digest: Digest): AsyncIterable<Uint8Array>;
  /**
   * A small blob as a whole, its digest checked again.
   * @throws EngineError 'not-found', 'too-large', or 'internal' when the disk no longer holds what was written.
   */
  readWhole(digest: Digest, bytesMax: number): Promise<Uint8Array>;
  /** Size of a blob, undefined when it is not there. */
  sizeBytes(digest: Digest): Promise<number | undefined>;
  /** Nothing to delete is success. */
  delete(digest: Digest): Promise<void>;
  list(): Promise<readonly Digest[]>;
}
