import {
  DEFAULT_TAG,
  familiarName,
  imageEndpoints as rows,
  parseReference,
  type ProgressMessage,
  type Reference,
} from '@fairlead/protocol';
import { type Call, callStream } from '../call.ts';
import { field } from '../endpoint/docker-config.ts';
import { registryKey } from '../registry/registry-login.ts';
import { jsonFeed } from '../streams/json-feed.ts';
import { imageIdIn, loadedImages, pulledDigest } from '../transfer/progress-words.ts';
import type { TransferPlan } from '../transfer/transfer.ts';
import { type AuthChoice, registryAuth } from './image-auth.ts';
import { type ClientDeps, type Listening, signalOf } from './group.ts';

export interface PullOptions extends Listening {
  /** Instead of the one in the name. */
  readonly tag?: string | undefined;
  /** Every tag of the name. */
  readonly allTags?: boolean | undefined;
  /** `linux/arm64`; absent: the engine's own. */
  readonly platform?: string | undefined;
  readonly auth?: AuthChoice;
}

export interface PushOptions extends Listening {
  /** Instead of the one in the name. */
  readonly tag?: string | undefined;
  /** Every tag of the name. */
  readonly allTags?: boolean | undefined;
  readonly auth?: AuthChoice;
}

export interface ImportOptions extends Listening {
  /** The new image's name, with or without a tag. */
  readonly repo?: string | undefined;
  readonly message?: string | undefined;
  /** Lines as in a Dockerfile. */
  readonly changes?: readonly string[] | undefined;
  readonly platform?: string | undefined;
}

/** Reads images from a tar. */
export function loadImages(
  deps: ClientDeps,
  tar: AsyncIterable<Uint8Array>,
  options: Listening & { readonly quiet?: boolean },
): TransferPlan<readonly string[]> {
  const names: string[] = [];
  const asked = { operation: 'load', bytes: tar, query: { quiet: options.quiet ?? false }, signal: signalOf(options) };
  return {
    open: () => progressOf(deps, rows.load, asked),
    take: (message) => void names.push(...loadedImages(message)),
    result: () => names,
  };
}

/** Makes an image of a root filesystem. */
export function importImage(
  deps: ClientDeps,
  tar: AsyncIterable<Uint8Array>,
  options: ImportOptions,
): TransferPlan<string | undefined> {
  const { repo, message, changes, platform } = options;
  const query = { repo, message, changes, platform, fromSrc: '-' };
  const asked = { operation: 'import', bytes: tar, query, signal: signalOf(options) };
  return lastFound(() => progressOf(deps, rows.import, asked), imageIdIn);
}

/** Gets an image. */
export function pullImage(deps: ClientDeps, ref: string, options: PullOptions): TransferPlan<string | undefined> {
  const signal = signalOf(options);
  const operation = `pull ${ref}`;
  const open = async function* open(): AsyncGenerator<ProgressMessage, void, undefined> {
    const reference = parseReference(ref);
    const headers = await registryAuth(deps, { key: registryKey(reference.domain), auth: options.auth }, signal);
    const tag = options.allTags === true ? undefined : (options.tag ?? tagOf(reference));
    const query = { fromImage: familiarName(reference), tag, platform: options.platform };
    yield* progressOf(deps, rows.import, { operation, query, headers, signal });
  };
  return lastFound(open, pulledDigest);
}

/** Gives an image away. */
export function pushImage(deps: ClientDeps, ref: string, options: PushOptions): TransferPlan<string | undefined> {
  const signal = signalOf(options);
  const operation = `push ${ref}`;
  const open = async function* open(): AsyncGenerator<ProgressMessage, void, undefined> {
    const reference = parseReference(ref);
    const headers = await registryAuth(deps, { key: registryKey(reference.domain), auth: options.auth }, signal);
    const tag = options.allTags === true ? undefined : (options.tag ?? reference.tag ?? DEFAULT_TAG);
    const params = { name: familiarName(reference) };
    yield* progressOf(deps, rows.push, { operation, params, query: { tag }, headers, signal });
  };
  return lastFound(open, pushedDigest);
}

/** What the engine says, line by line. */
export async function* progressOf<E extends ProgressRow>(
  deps: ClientDeps,
  row: E,
  asked: Call<E>,
): AsyncGenerator<ProgressMessage, void, undefined> {
  yield* jsonFeed<ProgressMessage>(await callStream(deps, row, asked), asked);
}

type ProgressRow = Parameters<typeof callStream>[1];

function lastFound(
  open: () => AsyncIterable<ProgressMessage>,
  find: (message: ProgressMessage) => string | undefined,
): TransferPlan<string | undefined> {
  let found: string | undefined;
  return { open, take: (message) => void (found = find(message) ?? found), result: () => found };
}

function tagOf({ digest, tag }: Reference): string {
  return digest ?? tag ?? DEFAULT_TAG;
}

/** Source: moby distribution/push_v2.go, apitypes.PushResult. */
function pushedDigest({ aux }: ProgressMessage): string | undefined {
  const digest = field(aux, 'Digest');
  return typeof digest === 'string' ? digest : undefined;
}
