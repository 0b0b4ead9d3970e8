import { STOP_GRACE_DEFAULT_MS } from '@fairlead/protocol';
import type { FleetActor, FleetCommand } from '@fairlead/protocol/fleet';
import type { EngineSide } from '../engine/engine-side.ts';
import { judge } from '../policy/judge.ts';
import { type Denial, denyGrace, denyOther, denyPrivilegedExec, denyVerb, type Policy } from '../policy/policy.ts';
import type { Access } from './access.ts';
import { isDocument, isPrivilegedExec } from './privileged.ts';

/**
 * Decides about a request of the engine's API as `judge` does about a command of the fleet; undefined: it may go on.
 *
 * @throws EngineError when a create's body cannot be read in one way only, or the engine cannot be asked about a grace.
 */
export async function judgeRequest(
  deps: { readonly policy: Policy; readonly engine: EngineSide; readonly leaving: AbortSignal },
  asked: { readonly access: Access; readonly actor: FleetActor; readonly body: unknown },
): Promise<Denial | undefined> {
  const { policy } = deps;
  const { access, actor, body } = asked;
  if (!access.changes) return undefined;
  const { name, query, path } = access.endpoint;
  if (access.verb === undefined || (name === 'image.import' && !query.has('fromImage'))) return denyOther(policy, path);
  const command = commandOf(access, body);
  if (command !== undefined) return await judge(policy, { command, actor });
  const denied = denyVerb(policy, access.verb, actor);
  if (denied !== undefined) return denied;
  if (name === 'exec.create' && isPrivilegedExec(body)) return denyPrivilegedExec(policy);
  if (access.verb !== 'stop' && access.verb !== 'restart') return undefined;
  return policy.maxGraceMs === undefined ? undefined : denyGrace(policy, await graceOf(deps, access));
}

/** The command of the fleet that says the same, where its arguments are limited. */
function commandOf({ verb, endpoint: { query } }: Access, body: unknown): FleetCommand | undefined {
  if (verb === 'create') return { verb, body: isDocument(body) ? body : {} };
  if (verb !== 'pull') return undefined;
  const [image, tag] = [query.get('fromImage') ?? '', query.get('tag') ?? ''];
  if (tag === '') return { verb, image };
  return { verb, image: `${image}${tag.includes(':') ? '@' : ':'}${tag}` };
}

/** What the engine will give it; null: without end. */
async function graceOf(
  { engine, leaving }: { readonly engine: EngineSide; readonly leaving: AbortSignal },
  { endpoint }: Access,
): Promise<number | null> {
  const asked = endpoint.query.get('t') ?? '';
  const own = asked === '' ? (await engine.inspect(endpoint.ref, leaving))?.Config.StopTimeout : undefined;
  const seconds = asked === '' ? (own ?? STOP_GRACE_DEFAULT_MS / 1000) : Number(asked);
  return seconds >= 0 ? seconds * 1000 : null;
}
