import { realpath } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import {
  type CreateContainerBody,
  createContainerBodySchema,
  decodeBody,
  EngineError,
  familiarReference,
  isEngineError,
  parseReference,
  withDefaultTag,
  canonicalReference,
} from '@fairlead/protocol';
import type { CommandMessage, FleetCommand } from '@fairlead/protocol/fleet';
import { bindSourcesOf, type Denial, denyContainer, denyImage, denyVerb, type Policy } from './policy.ts';

/**
 * Decides about a command before anything is looked up or done; undefined: it may go on. Only the grace is decided later
 * (`denyGrace`), when the container's own is known.
 *
 * @throws EngineError 'invalid-argument' when a create's body cannot be read in one way only.
 */
export async function judge(
  policy: Policy,
  { command, actor }: Pick<CommandMessage, 'command' | 'actor'>,
): Promise<Denial | undefined> {
  const denied = denyVerb(policy, command.verb, actor);
  if (denied !== undefined) return denied;
  if (command.verb === 'pull') return denyImage(policy, spellingsOf(command.image));
  return command.verb === 'create' ? await judgeCreate(policy, command) : undefined;
}

async function judgeCreate(
  policy: Policy,
  command: Extract<FleetCommand, { verb: 'create' }>,
): Promise<Denial | undefined> {
  assertOneSpelling(command.body);
  const body = decodeBody<typeof createContainerBodySchema>(createContainerBodySchema, JSON.stringify(command.body));
  const denied = denyImage(policy, spellingsOf(body.Image));
  if (denied !== undefined || policy.bindPrefixes === undefined) return denied ?? denyContainer(policy, body, []);
  return denyContainer(policy, body, await realSources(body));
}

/**
 * Engines match keys without case, and of several spellings they may take parts of each. A body that could be read in two ways
 * could pass here in one and mean the other: it is refused. U+017F and U+212A are what Go takes for `s` and `k` besides.
 */
function assertOneSpelling(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) {
    const keys = Object.keys(value);
    const folded = new Set(keys.map((key) => key.toLowerCase()));
    if (folded.size < keys.length || keys.some((key) => /[\u017f\u212a]/.test(key))) {
      throw new EngineError('invalid-argument', 'the body has a key in more than one spelling');
    }
  }
  for (const child of Object.values(value)) assertOneSpelling(child);
}

/** Without symbolic links, as far as the path exists: a link below an allowed directory leads out of it. */
async function realSources(body: CreateContainerBody): Promise<readonly string[]> {
  return await Promise.all(bindSourcesOf(body).map((source) => realPath(normalize(source))));
}

async function realPath(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    // The rest does not exist: the engine may make it, below what does.
    const parent = dirname(path);
    return parent === path ? path : join(await realPath(parent), path.slice(parent.length));
  }
}

/** Short and whole spelling, and as written. */
function spellingsOf(image: string): readonly string[] {
  try {
    const reference = withDefaultTag(parseReference(image));
    return [image, familiarReference(reference), canonicalReference(reference)];
  } catch (error) {
    // An id, or nothing an engine would take.
    if (isEngineError(error)) return [image];
    throw error;
  }
}
