import { EngineError } from './errors.ts';

/** 64 lower-case hex characters. */
export type ContainerId = string & { readonly __brand: 'ContainerId' };
/** 64 lower-case hex characters; matched exactly, never by prefix. */
export type ExecId = string & { readonly __brand: 'ExecId' };
/** `sha256:` and 64 lower-case hex characters: the digest of the image's config. */
export type ImageId = string & { readonly __brand: 'ImageId' };
/** What a person typed for a container: a name, an id, or a unique prefix of an id. */
export type ContainerRef = string;

const HEX_64 = /^[0-9a-f]{64}$/;
const SHA256 = /^sha256:[0-9a-f]{64}$/;

/** @throws EngineError 'internal' when `text` is not 64 hex characters: ids are made by the engine, so that is a bug. */
export function containerId(text: string): ContainerId {
  if (!isContainerId(text)) throw new EngineError('internal', `not a container id: ${text}`);
  return text;
}

/** True for a whole id: 64 lower-case hex characters. */
export function isContainerId(text: string): text is ContainerId {
  return HEX_64.test(text);
}

/** @throws EngineError 'internal' when `text` is not 64 hex characters. */
export function execId(text: string): ExecId {
  if (!isExecId(text)) throw new EngineError('internal', `not an exec id: ${text}`);
  return text;
}

/** True for a whole id: 64 lower-case hex characters. */
export function isExecId(text: string): text is ExecId {
  return HEX_64.test(text);
}

/** @throws EngineError 'internal' when `text` is not `sha256:` and 64 hex characters. */
export function imageId(text: string): ImageId {
  if (!isImageId(text)) throw new EngineError('internal', `not an image id: ${text}`);
  return text;
}

/** True for `sha256:` and 64 lower-case hex characters. */
export function isImageId(text: string): text is ImageId {
  return SHA256.test(text);
}

/** The first 12 hex characters, as people see them. */
export function shortId(id: string): string {
  return (id.startsWith('sha256:') ? id.slice(7) : id).slice(0, 12);
}
