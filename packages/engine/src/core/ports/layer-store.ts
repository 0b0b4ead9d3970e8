import type { Digest } from './content-store.ts';

/** A layer in its place: the same difference on other parents is another layer. Source: OCI image-spec, ChainID. */
export interface UnpackLayer {
  readonly chainId: Digest;
  /** Undefined for the lowest layer. Must have been unpacked before. */
  readonly parentChainId: Digest | undefined;
  /** Digest of the tar, without compression; other content is refused. */
  readonly diffId: Digest;
}

/** The layers of images, unpacked once each, for the snapshotter to stack. Every method may be repeated. */
export interface LayerStore {
  /** Whether the layer is unpacked and whole. */
  has(chainId: Digest): boolean;
  /**
   * Unpacks a tar as a layer. Already there is success, and callers at the same time share one unpacking.
   *
   * Owner, mode, times, hard links, extended attributes, devices and FIFOs are kept; whiteouts take effect. No entry,
   * however hostile, writes outside the layer. A failure or a crash leaves no part of it.
   * @param open yields the tar, without compression; not called when there is nothing to do.
   * @throws EngineError 'invalid-argument' when it is not a tar, is cut short, or does not have the digest `diffId`.
   */
  unpack(layer: UnpackLayer, open: () => AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>;
  /** Sum of the sizes of its regular files, as Docker counts. @throws EngineError 'not-found'. */
  sizeBytes(chainId: Digest): number;
  /** Absolute path of the unpacked layer, for inspect's GraphDriver. @throws EngineError 'not-found'. */
  path(chainId: Digest): string;
  /** Gone for `has` at once; the files follow. The caller knows that nothing is stacked on it. */
  remove(chainId: Digest): Promise<void>;
  list(): readonly Digest[];
}
