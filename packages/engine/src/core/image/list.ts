import {
  assertFilterKeys,
  booleanFilter,
  dateFromNanos,
  EngineError,
  familiarName,
  familiarReference,
  matchesLabels,
  parseGoDuration,
  parseReference,
  parseTimestamp,
  type Filters,
} from '@fairlead/protocol';
import type { ImageDeps } from './deps.ts';
import { globPattern } from './glob.ts';
import type { ImageRecord } from './record.ts';

/** Source: moby v28, daemon/images/images.go, acceptedImageFilterTags. */
const FILTER_KEYS = ['dangling', 'label', 'label!', 'before', 'since', 'reference', 'until'];

/** An image of a list, with those of its tags that were asked for, as people see them. */
export interface ListedImage {
  readonly image: ImageRecord;
  readonly tags: readonly string[];
}

/**
 * The images that the filters let through, newest first. One that has names, but none that `reference` matches, is left out; so are,
 * unless `all`, nameless ones that others were made of.
 * @throws EngineError 'invalid-argument' for a filter that is none; 'not-found' when `before` or `since` name no image.
 */
export function listImages(
  deps: Pick<ImageDeps, 'directory' | 'clock'>,
  filters: Filters,
  options: { readonly all: boolean } = { all: false },
): readonly ListedImage[] {
  assertFilterKeys(filters, FILTER_KEYS);
  const accepts = imageFilter(deps, filters);
  const patterns = filters.get('reference')?.map(globPattern);
  const listed = deps.directory
    .all()
    .filter((image) => accepts(image) && (options.all || !isIntermediate(deps, image)))
    .map((image) => ({ image, tags: matchingTags(image, patterns) }));
  const kept = patterns === undefined ? listed : listed.filter(({ tags }) => tags.length > 0);
  return kept.toSorted((a, b) => createdMs(b.image) - createdMs(a.image) || (a.image.id < b.image.id ? -1 : 1));
}

function imageFilter(deps: Pick<ImageDeps, 'directory' | 'clock'>, filters: Filters): (image: ImageRecord) => boolean {
  const dangling = booleanFilter(filters, 'dangling');
  const before = Math.min(...moments(deps, filters, 'before'), ...untilMoments(deps, filters));
  const since = Math.max(...moments(deps, filters, 'since'));
  const excluded = filters.get('label!');
  return (image) => {
    const isDangling = image.tags.length === 0 && !isIntermediate(deps, image);
    if (dangling !== undefined && dangling !== isDangling) return false;
    const created = createdMs(image);
    if (created >= before || created <= since) return false;
    if (excluded !== undefined && matchesLabels(excluded, image.config.Labels)) return false;
    return matchesLabels(filters.get('label'), image.config.Labels);
  };
}

function isIntermediate({ directory }: Pick<ImageDeps, 'directory'>, { id, tags }: ImageRecord): boolean {
  return tags.length === 0 && directory.childrenOf(id).length > 0;
}

function moments(deps: Pick<ImageDeps, 'directory'>, filters: Filters, key: 'before' | 'since'): readonly number[] {
  return (filters.get(key) ?? []).map((ref) => createdMs(deps.directory.resolve(ref)));
}

/** A duration before now, unix seconds, or RFC 3339. Source: moby, api/types/time/timestamp.go. */
function untilMoments(deps: Pick<ImageDeps, 'clock'>, filters: Filters): readonly number[] {
  return (filters.get('until') ?? []).map((text) => {
    if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
    const nanos = parseTimestamp(text) ?? parseTimestamp(`${text}Z`) ?? parseTimestamp(`${text}T00:00:00Z`);
    if (nanos !== undefined) return dateFromNanos(nanos).getTime();
    if (/^[+-]?[\d.]/.test(text)) return deps.clock.now().getTime() - parseGoDuration(text);
    throw new EngineError('invalid-argument', `invalid filter 'until=${JSON.stringify([text])}'`);
  });
}

/** A pattern matches a whole name with its tag, or the name without. Source: distribution/reference, FamiliarMatch. */
function matchingTags(image: ImageRecord, patterns: readonly RegExp[] | undefined): readonly string[] {
  const references = image.tags.map(parseReference);
  const matching = references.filter((reference) => {
    if (patterns === undefined) return true;
    const names = [familiarReference(reference), familiarName(reference)];
    return patterns.some((pattern) => names.some((name) => pattern.test(name)));
  });
  return matching.map(familiarReference);
}

function createdMs(image: ImageRecord): number {
  return image.createdAt?.getTime() ?? 0;
}
