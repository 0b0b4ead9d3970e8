import { EngineError, toFamiliar, type ImageHistoryEntry } from '@fairlead/protocol';
import { CONFIG_BYTES_MAX, parseConfigDocument } from './config-document.ts';
import type { ImageDeps } from './deps.ts';

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
  const tags = image.tags.map(toFamiliar);
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
  const newest = entries.at(-1);
  if (newest === undefined) return [];
  return [{ ...newest, Id: image.id, Tags: tags.length === 0 ? null : tags }, ...entries.slice(0, -1).toReversed()];
}
