import { EngineError } from '@fairlead/protocol';
import type { ImageDeps } from './deps.ts';
import { CONFIG_BYTES_MAX, parseConfigDocument } from './config-document.ts';
import type { ImageRecord } from './record.ts';
import { unpackLayers } from './unpack-layers.ts';

/**
 * At the engine's start, before containers run again: unpacks layers that a power cut took. Nothing to do takes no time.
 *
 * What cannot be mended is logged; the image stays listed. What loads that a crash cut off have left goes with
 * `ImageDirectory.collect`, once the containers are known, too.
 */
export async function restoreImages(
  deps: Pick<ImageDeps, 'directory' | 'content' | 'layers' | 'archives' | 'log'>,
  signal: AbortSignal,
): Promise<void> {
  for (const image of deps.directory.all()) {
    if (image.layerIds.every((chainId) => deps.layers.has(chainId))) continue;
    try {
      await unpackAgain(deps, image, signal);
      deps.log.event('image.restored', { imageId: image.id });
    } catch (error) {
      signal.throwIfAborted();
      deps.log.failure('image.restore.failed', error, { imageId: image.id });
    }
  }
}

async function unpackAgain(
  deps: Pick<ImageDeps, 'content' | 'layers' | 'archives'>,
  image: ImageRecord,
  signal: AbortSignal,
): Promise<void> {
  const { diffIds } = parseConfigDocument(await deps.content.readWhole(image.id, CONFIG_BYTES_MAX));
  const blobs = await Promise.all(
    image.layerBlobs.map(async (digest) => {
      const sizeBytes = await deps.content.sizeBytes(digest);
      if (sizeBytes === undefined) throw new EngineError('internal', `content ${digest}: not found`);
      return { digest, sizeBytes };
    }),
  );
  for await (const _line of unpackLayers(deps, { diffIds, blobs }, signal));
}
