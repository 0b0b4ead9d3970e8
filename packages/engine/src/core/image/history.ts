import { EngineError, toFamiliar, type ImageHistoryEntry } from '@fairlead/protocol';
import { CONFIG_BYTES_MAX, parseConfigDocument } from './config-document.ts';
import type { ImageDeps } from './deps.ts';
import type { ImageRecord } from './record.ts';

/**
 * The steps an image was made in, newest first.
 * @throws EngineError 'not-found', 'invalid-argument'; 'internal' when the document does not fit its layers.
 */
export async function imageHistory(
  deps: Pick<ImageDeps, 'directory' | 'content' | 'layers'>,
  ref: string,
): Promise<readonly ImageHistoryEntry[]> {
  const image = deps.directory.resolve(ref);
  const { history } = parseConfigDocument(await deps.content.readWhole(image.id, CONFIG_BYTES_MAX));
  const layers = image.layerIds.values();
  const entries = history.map((step): ImageHistoryEntry => {
    const chainId = step.emptyLayer ? undefined : layers.next().value;
    if (!step.emptyLayer && chainId === undefined)
      throw new EngineError('internal', 'too many non-empty layers in History section');
    return {
      Comment: step.comment,
      Created: step.createdAt === undefined ? 0 : Math.floor(step.createdAt.getTime() / 1000),
      CreatedBy: step.createdBy,
      Id: '<missing>',
      Size: chainId === undefined ? 0 : deps.layers.sizeBytes(chainId),
      Tags: null,
    };
  });
  const made: readonly (ImageRecord | undefined)[] = lineage(deps, image);
  return entries.toReversed().map((entry, index) => {
    const step = made[index];
    if (step === undefined) return entry;
    return { ...entry, Id: step.id, Tags: step.tags.length === 0 ? null : step.tags.map(toFamiliar) };
  });
}

/** The image, the one it was made of here, and so on: one for each of the newest steps. */
function lineage({ directory }: Pick<ImageDeps, 'directory'>, image: ImageRecord): readonly ImageRecord[] {
  const parent = directory.parentOf(image);
  return parent === undefined ? [image] : [image, ...lineage({ directory }, parent)];
}
