import { endpointOf, type FoundEndpoint } from '@fairlead/protocol';
import type { FleetRole, FleetVerb } from '@fairlead/protocol/fleet';

/** What a request of the engine's API means to a fleet. */
export interface Access {
  readonly endpoint: FoundEndpoint;
  readonly needs: FleetRole;
  /** The fleet's verb for it; undefined for what has none, which a policy that lists verbs does not allow. */
  readonly verb: FleetVerb | undefined;
  /** It changes something. */
  readonly changes: boolean;
}

/** Reading a container's files, or typing into it, is as much as running a program in it. */
const EXEC_ENDPOINTS: ReadonlySet<string> = new Set([
  'exec.create',
  'exec.start',
  'exec.resize',
  'container.attach',
  'container.attachWebSocket',
  'container.resize',
  'container.getArchive',
  'container.putArchive',
  'container.export',
  'container.commit',
]);

const VERBS: ReadonlyMap<string, FleetVerb> = new Map([
  ['container.create', 'create'],
  ['container.start', 'start'],
  ['container.stop', 'stop'],
  ['container.restart', 'restart'],
  ['container.kill', 'kill'],
  ['container.remove', 'remove'],
  ['container.pause', 'pause'],
  ['container.unpause', 'unpause'],
  ['container.rename', 'rename'],
  ['exec.create', 'exec'],
  ['exec.start', 'exec'],
  ['image.import', 'pull'],
]);

/** POSTs that change nothing. */
const READING_POSTS: ReadonlySet<string> = new Set(['container.wait', 'registry.auth']);

/**
 * What a request needs; undefined when it is none of the engine's API: nothing else passes.
 *
 * Paths that an engine would clean before it looks at them are none either: what is judged is what is asked.
 */
export function accessOf(method: string, target: string): Access | undefined {
  const endpoint = endpointOf(method, target);
  const { name, row, path } = endpoint;
  if (row === undefined || name === undefined || !isClean(path)) return undefined;
  const reads = method === 'GET' || method === 'HEAD' || READING_POSTS.has(name);
  const shared = { endpoint, verb: VERBS.get(name), changes: !reads };
  if (EXEC_ENDPOINTS.has(name)) return { ...shared, needs: 'exec', changes: true };
  return { ...shared, needs: reads ? 'view' : 'operate' };
}

function isClean(path: string): boolean {
  const segments = path.slice(1).split('/');
  return segments.every((segment) => segment !== '' && !/^(\.|%2e){1,2}$/i.test(segment)) && !/%2f|%00|\\/i.test(path);
}
