import {
  canonicalReference,
  EngineError,
  parseReference,
  shortId,
  toFamiliar,
  withDefaultTag,
  type ImageDeleted,
} from '@fairlead/protocol';
import type { ImageDeps } from './deps.ts';
import { imageEvent } from './event.ts';
import type { ImageRecord } from './record.ts';

export interface RemoveImage {
  readonly force: boolean;
  /** Keeps the images that it was made of, also those without a name. Default: they go, too, when nothing uses them. */
  readonly keepParents?: boolean;
}

type RemoveDeps = Pick<ImageDeps, 'directory' | 'publish'>;

/**
 * Takes a name away and, when it was the last, the image; an id takes all, unless that needs `force`.
 *
 * The matrix is Docker's: an image whose last name goes while a container uses it stays, nameless, with `force`; one that
 * runs in a container, or that others were made of, is never deleted by its id; one used by a stopped container only with `force`.
 * @returns what was untagged and deleted, in order.
 * @throws EngineError 'not-found', 'conflict'. Source: moby v28, daemon/images/image_delete.go.
 */
export async function removeImage(
  deps: RemoveDeps,
  ref: string,
  command: RemoveImage,
): Promise<readonly ImageDeleted[]> {
  const image = deps.directory.resolve(ref);
  if (isIdOf(image, ref)) {
    refuseById(deps, image, command.force);
  } else {
    if (!command.force && image.tags.length <= 1) refuseLastName(deps, image, ref);
    // A container keeps the image itself when its last name goes, and that is no failure.
    const isUsed = deps.directory.usersOf(image.id).some(({ running }) => running || !command.force);
    const isKept = isUsed || deps.directory.childrenOf(image.id).length > 0;
    if (image.tags.length > 1 || isKept) {
      const tag = canonicalReference(withDefaultTag(parseReference(ref)));
      deps.directory.takeTag(tag);
      return [untagged(deps, image, tag)];
    }
  }
  const answers = [...remove(deps, image), ...(command.keepParents === true ? [] : removeParents(deps, image))];
  await deps.directory.collect();
  return answers;
}

/**
 * Deletes the record with all its tags in one step, whatever uses it. Synchronous: no container can come in between.
 */
function remove(deps: RemoveDeps, image: ImageRecord): readonly ImageDeleted[] {
  const freed = deps.directory.freedBy(image);
  deps.directory.forget(image.id);
  const answers = image.tags.map((tag) => untagged(deps, image, tag));
  deps.publish(imageEvent(image, 'delete'));
  return [...answers, { Deleted: image.id }, ...freed.toReversed().map((chainId) => ({ Deleted: chainId }))];
}

/** The nameless images that this one was made of, as far as nothing else was made of them and no container uses them. */
function removeParents(deps: RemoveDeps, image: ImageRecord): readonly ImageDeleted[] {
  const { directory } = deps;
  const parent = directory.parentOf(image);
  if (parent === undefined || parent.tags.length > 0) return [];
  if (directory.childrenOf(parent.id).length > 0 || directory.usersOf(parent.id).length > 0) return [];
  return [...remove(deps, parent), ...removeParents(deps, parent)];
}

function untagged(deps: RemoveDeps, image: ImageRecord, tag: string): ImageDeleted {
  deps.publish(imageEvent(image, 'untag'));
  return { Untagged: toFamiliar(tag) };
}

function isIdOf(image: ImageRecord, ref: string): boolean {
  return image.id.startsWith(ref) || image.id.slice('sha256:'.length).startsWith(ref);
}

function refuseLastName(deps: RemoveDeps, image: ImageRecord, ref: string): void {
  const [user] = deps.directory.usersOf(image.id);
  if (user === undefined) return;
  throw new EngineError(
    'conflict',
    `conflict: unable to remove repository reference "${ref}" (must force) - ` +
      `container ${shortId(user.containerId)} is using its referenced image ${shortId(image.id)}`,
  );
}

function refuseById(deps: RemoveDeps, image: ImageRecord, force: boolean): void {
  if (deps.directory.childrenOf(image.id).length > 0) {
    throw conflict(image, '(cannot be forced) - image has dependent child images');
  }
  const users = deps.directory.usersOf(image.id);
  const running = users.find((user) => user.running);
  if (running !== undefined) {
    throw conflict(
      image,
      `(cannot be forced) - image is being used by running container ${shortId(running.containerId)}`,
    );
  }
  if (force) return;
  if (image.tags.length > 1) throw conflict(image, '(must be forced) - image is referenced in multiple repositories');
  const [stopped] = users;
  if (stopped === undefined) return;
  throw conflict(image, `(must be forced) - image is being used by stopped container ${shortId(stopped.containerId)}`);
}

function conflict(image: ImageRecord, why: string): EngineError {
  return new EngineError('conflict', `conflict: unable to delete ${shortId(image.id)} ${why}`);
}
