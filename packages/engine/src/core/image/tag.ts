import {
  canonicalReference,
  EngineError,
  familiarName,
  familiarReference,
  parseReference,
  withDefaultTag,
  type Reference,
} from '@fairlead/protocol';
import type { ImageDeps } from './deps.ts';
import { imageEvent } from './event.ts';

/** Source: distribution/reference, TagRegexp. */
const TAG = /^\w[\w.-]{0,127}$/;

export interface TagImage {
  /** Name with or without a tag. */
  readonly repo: string | undefined;
  /** Takes precedence over a tag in `repo`. */
  readonly tag: string | undefined;
}

/**
 * Gives an image one more name; one that another image has moves.
 * @throws EngineError 'not-found' without the image, 'invalid-argument' for a name that is none.
 */
export function tagImage(
  deps: Pick<ImageDeps, 'directory' | 'clock' | 'publish'>,
  ref: string,
  command: TagImage,
): void {
  if (command.repo === undefined) throw new EngineError('invalid-argument', 'invalid reference format');
  const name = targetReference(command.repo, command.tag);
  const image = deps.directory.resolve(ref);
  deps.directory.giveTag(image.id, canonicalReference(name), deps.clock.now());
  deps.publish(imageEvent(image, 'tag', familiarReference(name)));
}

/**
 * The name that a new image or tag gets.
 * @throws EngineError 'invalid-argument' in Docker's words. Source: moby, api/server/httputils/form.go, RepoTagReference.
 */
export function targetReference(repo: string, tag: string | undefined): Reference {
  const reference = parseReference(repo);
  if (reference.digest !== undefined)
    throw new EngineError('invalid-argument', 'refusing to create a tag with a digest reference');
  if (tag !== undefined && !TAG.test(tag)) throw new EngineError('invalid-argument', 'invalid tag format');
  const name = tag === undefined ? reference : { ...reference, tag };
  if (familiarName(name) === 'sha256') {
    throw new EngineError('invalid-argument', 'refusing to create an ambiguous tag using digest algorithm as name');
  }
  return withDefaultTag(name);
}
