import {
  canonicalReference,
  EngineError,
  familiarReference,
  parseReference,
  withDefaultTag,
  type ImageId,
  type Reference,
} from '@fairlead/protocol';
import type { Log } from '../../lib/log.ts';
import type { ContentStore } from '../ports/content-store.ts';
import type { LayerStore } from '../ports/layer-store.ts';
import type { RecordTable, UnreadableRecord } from '../ports/record-store.ts';
import { Collector, type InUse } from './collector.ts';
import type { ImageLookup, ImageRecord } from './record.ts';
import type { ImageUser } from './user.ts';

export interface ImageDirectoryDeps {
  readonly table: RecordTable<ImageRecord>;
  readonly content: ContentStore;
  readonly layers: LayerStore;
  readonly log: Log;
  /** Every container that exists, oldest first. Asked whenever something is to be removed. */
  readonly imageUsers: () => readonly ImageUser[];
  /** Whether there are containers whose records cannot be read: nobody knows what they use. */
  readonly hasDamagedUsers?: boolean;
}

/** Every image the engine has, by id and by tag. Tags are given, moved and taken away here and nowhere else. */
export class ImageDirectory implements ImageLookup {
  readonly #deps: ImageDirectoryDeps;
  readonly #images: Map<ImageId, ImageRecord>;
  readonly #tags: Map<string, ImageId>;
  readonly #collector: Collector;
  /** Images whose records are damaged, as they were when the engine started. */
  readonly #damaged: readonly UnreadableRecord[];

  constructor(deps: ImageDirectoryDeps) {
    this.#deps = deps;
    const stored = deps.table.all();
    this.#images = new Map(stored.map((image) => [image.id, image]));
    // A crash may have left a moved tag on both images: the one that got it last has it.
    const oldestTagFirst = stored.toSorted((a, b) => (a.taggedAt?.getTime() ?? 0) - (b.taggedAt?.getTime() ?? 0));
    this.#tags = new Map(oldestTagFirst.flatMap((image) => image.tags.map((tag) => [tag, image.id] as const)));
    for (const image of stored) this.#dropLostTags(image);
    this.#damaged = deps.table.unreadable();
    const isUnknown = this.#damaged.length > 0 || deps.hasDamagedUsers === true;
    this.#collector = new Collector({ ...deps, inUse: () => (isUnknown ? undefined : this.#inUse()) });
  }

  all(): readonly ImageRecord[] {
    return [...this.#images.values()];
  }

  get(id: ImageId): ImageRecord | undefined {
    return this.#images.get(id);
  }

  /** The image that has this canonical tag. */
  byTag(tag: string): ImageRecord | undefined {
    const id = this.#tags.get(tag);
    return id === undefined ? undefined : this.#images.get(id);
  }

  /** The containers made from an image, oldest first. */
  usersOf(id: ImageId): readonly ImageUser[] {
    return this.#deps.imageUsers().filter((user) => user.imageId === id);
  }

  /** The images that were made of this one here. */
  childrenOf(id: ImageId): readonly ImageRecord[] {
    return this.all().filter(({ parentId }) => parentId === id);
  }

  /** The image that another was made of here, while it exists. */
  parentOf({ parentId }: ImageRecord): ImageRecord | undefined {
    return parentId === undefined ? undefined : this.#images.get(parentId);
  }

  /**
   * Finds an image by id, by name, or by the start of its id, in this order.
   * @throws EngineError 'not-found' `No such image: REF:TAG`, 'invalid-argument', 'internal' for a damaged record.
   *   Source: moby, daemon/images/image.go.
   */
  resolve(ref: string): ImageRecord {
    const image = this.find(ref);
    if (image !== undefined) return image;
    const prefix = ID_PREFIX.exec(ref)?.[1];
    const damaged = this.#damaged.find(({ key }) => prefix !== undefined && key.startsWith(`sha256:${prefix}`));
    if (damaged !== undefined)
      throw new EngineError('internal', `cannot load image ${damaged.key}: its record is damaged`);
    throw new EngineError('not-found', `No such image: ${shownRef(ref)}`);
  }

  /** As {@link resolve}, but undefined when there is none. @throws EngineError 'invalid-argument'. */
  find(ref: string): ImageRecord | undefined {
    const digest = FULL_ID.exec(ref)?.[1];
    if (digest !== undefined) return this.all().find(({ id }) => id === `sha256:${digest}`);
    const prefix = ID_PREFIX.exec(ref)?.[1];
    // `sha256:abc` is not a name that could be parsed, but it may start an id.
    const named =
      ref.startsWith('sha256:') && prefix !== undefined ? undefined : this.#byReference(parseReference(ref));
    if (named !== undefined || prefix === undefined) return named;
    const matches = this.all().filter(({ id }) => id.startsWith(`sha256:${prefix}`));
    return matches.length === 1 ? matches[0] : undefined;
  }

  /**
   * Takes an image in, or a new form of one. Its tags are those it has, and nobody else has them any more. Durable when it
   * returns.
   */
  put(image: ImageRecord): void {
    // First the new owner: a crash in between leaves a tag on both, and the next start takes it from one.
    this.#store(image);
    for (const tag of image.tags) {
      const previous = this.byTag(tag);
      this.#tags.set(tag, image.id);
      if (previous !== undefined && previous.id !== image.id) this.#dropLostTags(previous);
    }
  }

  /**
   * Gives a canonical tag to an image, taking it from the one that had it.
   * @returns the one that had it. @throws EngineError 'not-found' when the image was removed meanwhile.
   */
  giveTag(id: ImageId, tag: string, at: Date): ImageRecord | undefined {
    const image = this.#images.get(id);
    if (image === undefined) throw new EngineError('not-found', `No such image: ${id}`);
    const previous = this.byTag(tag);
    if (previous?.id === id) return undefined;
    this.put({ ...image, tags: [...image.tags, tag].toSorted(), taggedAt: at });
    return previous;
  }

  /** Takes a canonical tag away. @throws EngineError 'not-found' when no image has it. */
  takeTag(tag: string): void {
    const image = this.byTag(tag);
    if (image === undefined) throw new EngineError('not-found', `No such image: ${shownRef(tag)}`);
    this.#store({ ...image, tags: image.tags.filter((other) => other !== tag) });
    this.#tags.delete(tag);
  }

  /** Forgets an image and its tags; {@link collect} then frees what it held. */
  forget(id: ImageId): void {
    this.#deps.table.delete(id);
    this.#images.delete(id);
    for (const [tag, owner] of this.#tags) if (owner === id) this.#tags.delete(tag);
  }

  /** Layers that no image and no container other than these would keep. */
  freedBy(image: ImageRecord): readonly string[] {
    const { layers } = this.#inUse(image.id);
    return image.layerIds.filter((chainId) => !layers.has(chainId));
  }

  /** See {@link Collector.enterLoad}. */
  async enterLoad(): Promise<Disposable> {
    return await this.#collector.enterLoad();
  }

  /** Keeps layers until disposed, so that an image can be removed while a container is being made from it. */
  retain(layerIds: readonly string[]): Disposable {
    return this.#collector.retain(layerIds);
  }

  /** Deletes layers and blobs that neither an image nor a container uses. After removing either. Never throws. */
  async collect(): Promise<void> {
    await this.#collector.collect();
  }

  #byReference(reference: Reference): ImageRecord | undefined {
    if (reference.digest !== undefined) return undefined;
    return this.byTag(canonicalReference(withDefaultTag(reference)));
  }

  /** Takes those tags off an image that now belong to another. */
  #dropLostTags(image: ImageRecord): void {
    const tags = image.tags.filter((tag) => this.#tags.get(tag) === image.id);
    if (tags.length < image.tags.length) this.#store({ ...image, tags });
  }

  #store(image: ImageRecord): void {
    this.#deps.table.put(image.id, image);
    this.#images.set(image.id, image);
  }

  #inUse(except?: ImageId): InUse {
    const images = this.all().filter(({ id }) => id !== except);
    const users = this.#deps.imageUsers();
    return {
      layers: new Set([...images.flatMap(({ layerIds }) => layerIds), ...users.flatMap(({ layerIds }) => layerIds)]),
      blobs: new Set(images.flatMap(({ id, layerBlobs }) => [id, ...layerBlobs])),
    };
  }
}

const FULL_ID = /^(?:sha256:)?([0-9a-f]{64})$/;
const ID_PREFIX = /^(?:sha256:)?([0-9a-f]{1,64})$/;

/** What people typed, with the tag they meant. */
function shownRef(ref: string): string {
  const digest = FULL_ID.exec(ref)?.[1];
  if (digest !== undefined) return `sha256:${digest}`;
  return ref.startsWith('sha256:') ? ref : familiarReference(withDefaultTag(parseReference(ref)));
}
