/** One entry of a tar. */
export interface ArchiveEntry {
  /** As written, up to 4,096 bytes. Not a safe path: use it as a key, never as a file name. */
  readonly name: string;
  readonly type: 'file' | 'directory' | 'symlink' | 'hardlink' | 'other';
  /** Where a symlink or hardlink points; empty for others. */
  readonly linkName: string;
  readonly sizeBytes: number;
  /** To be read before the next entry is asked for; what is not read is skipped. */
  readonly content: AsyncIterable<Uint8Array>;
}

/** Tar archives and the compressions they come in. */
export interface ArchiveReader {
  /**
   * The bytes without compression: gzip, zstd, bzip2 and xz are recognised by their first bytes, all else passes as it is.
   * @throws EngineError 'invalid-argument' when the compressed bytes are damaged or cut short.
   */
  decompress(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
  /** Entries in order. @throws EngineError 'invalid-argument' when it is not a tar or cut short. */
  entries(source: AsyncIterable<Uint8Array>): AsyncIterable<ArchiveEntry>;
}
