import {
  booleanFilter,
  isEngineError,
  type Filters,
  type ImageDeleted,
  type PruneImagesReport,
} from '@fairlead/protocol';
import { publishPrune, type PruneDeps } from '../prune/prune-deps.ts';
import { pruneFilter } from '../prune/prune-filters.ts';
import type { ImageDeps } from './deps.ts';
import type { ImageRecord } from './record.ts';
import { removeImage } from './remove.ts';

const PRUNE_FILTERS: readonly string[] = ['dangling', 'label', 'label!', 'until'];

/**
 * Removes images that no container uses: those without a name, with `dangling=false` all of them.
 *
 * @throws EngineError 'invalid-argument' for an unknown filter or value, 'conflict' while another prune is under way.
 *   Source: engine-api 9.1, moby v28 daemon/images/image_prune.go.
 */
export async function pruneImages(
  deps: Pick<ImageDeps, 'directory' | 'layers' | 'clock' | 'publish'> & PruneDeps,
  filters: Filters,
): Promise<PruneImagesReport> {
  return await deps.onePrune.run(async () => {
    const { accepts } = pruneFilter(filters, { known: PRUNE_FILTERS, now: deps.clock.now() });
    const danglingOnly = booleanFilter(filters, 'dangling') ?? true;
    const sizes = new Map(deps.layers.list().map((chainId) => [chainId, deps.layers.sizeBytes(chainId)]));
    const deleted: ImageDeleted[] = [];
    for (const image of deps.directory.all()) {
      const { createdAt, config } = image;
      if ((danglingOnly && image.tags.length > 0) || !accepts({ createdAt, labels: config.Labels })) continue;
      deleted.push(...(await pruneOne(deps, image)));
    }
    const reclaimedBytes = deleted.reduce(
      (sum, answer) => sum + ('Deleted' in answer ? (sizes.get(answer.Deleted) ?? 0) : 0),
      0,
    );
    publishPrune(deps, 'image', reclaimedBytes);
    return { ImagesDeleted: deleted.length === 0 ? null : deleted, SpaceReclaimed: reclaimedBytes };
  });
}

/** An image goes with its last name. */
async function pruneOne(
  deps: Pick<ImageDeps, 'directory' | 'publish'> & PruneDeps,
  image: ImageRecord,
): Promise<readonly ImageDeleted[]> {
  if (deps.directory.usersOf(image.id).length > 0) return [];
  // It goes with the last image that was made of it.
  if (image.tags.length === 0 && deps.directory.childrenOf(image.id).length > 0) return [];
  const refs = image.tags.length > 0 ? image.tags : [image.id];
  const deleted: ImageDeleted[] = [];
  for (const ref of refs) {
    try {
      deleted.push(...(await removeImage(deps, ref, { force: false })));
    } catch (error) {
      // Somebody used or removed it since we looked: then it stays, and that is no failure.
      const isLate = isEngineError(error) && (error.kind === 'conflict' || error.kind === 'not-found');
      if (!isLate) deps.log.failure('image.prune.failed', error, { imageId: image.id });
    }
  }
  return deleted;
}
