import { assertFilterKeys, EngineError, matchesLabels, type ContainerSummary, type Filters } from '@fairlead/protocol';
import type { ContainerDeps } from './deps.ts';
import type { ContainerActor } from './actor.ts';
import { linkNames } from './links.ts';
import { mountPointsOf } from './mount-points.ts';
import { predefinedNetworks } from '../network/predefined.ts';
import { networkChoice } from '../spec/modes.ts';
import { portFilter } from './port-views.ts';
import { summarize } from './summary.ts';
import type { MountPoint } from '../spec/mount-points.ts';
import { exitCodeOf, isRestarting, wireStatus } from './wire-state.ts';

export interface ListContainers {
  readonly all: boolean;
  /** The newest n, running or not; 0 or less: no limit. */
  readonly limit: number;
  readonly size: boolean;
  readonly filters: Filters;
}

const FILTERS: readonly string[] = [
  'ancestor',
  'before',
  'exited',
  'health',
  'id',
  'is-task',
  'isolation',
  'label',
  'name',
  'network',
  'publish',
  'expose',
  'since',
  'status',
  'volume',
];
/** Source: moby v28 api/types/container/health.go, ValidateHealthStatus. */
const HEALTHS: readonly string[] = ['none', 'starting', 'healthy', 'unhealthy'];
const STATUSES: readonly string[] = ['created', 'restarting', 'running', 'removing', 'paused', 'exited', 'dead'];

/**
 * Containers as rows, newest first.
 * @throws EngineError 'invalid-argument' for an unknown filter or value, 'not-found' for an unknown container in one.
 */
export async function listContainers(
  deps: Pick<ContainerDeps, 'directory' | 'images' | 'clock' | 'snapshots' | 'volumes' | 'network'>,
  query: ListContainers,
): Promise<readonly ContainerSummary[]> {
  const matches = matcher(deps, query.filters);
  const wanted = newestFirst(deps)
    .filter(
      (actor) =>
        query.all || query.limit > 0 || query.filters.has('status') || query.filters.has('exited') || isUp(actor),
    )
    .filter(matches);
  const rows = query.limit > 0 ? wanted.slice(0, query.limit) : wanted;
  const facts = {
    now: deps.clock.now(),
    volumePath: (name: string): string => deps.volumes.store.path(name),
    networks: predefinedNetworks(deps.network),
  };
  const linked = linkNames(deps);
  return await Promise.all(
    rows.map(async ({ record }) => {
      const row = summarize(record, {
        ...facts,
        imageRefIsCurrent: imageRefIsCurrent(deps, record),
        linkNames: linked.get(record.id) ?? [],
      });
      if (!query.size) return row;
      const sizeRw = await deps.snapshots.usageBytes(record.id);
      // Go's omitempty.
      const written = sizeRw === 0 ? {} : { SizeRw: sizeRw };
      return { ...row, ...written, SizeRootFs: sizeRw + (deps.images.get(record.imageId)?.sizeBytes ?? 0) };
    }),
  );
}

function newestFirst(deps: Pick<ContainerDeps, 'directory'>): readonly ContainerActor[] {
  return deps.directory.all().toSorted((a, b) => b.record.createdAt.getTime() - a.record.createdAt.getTime());
}

function isUp(actor: ContainerActor): boolean {
  return actor.state.status === 'running' || isRestarting(actor.state);
}

function matcher(
  deps: Pick<ContainerDeps, 'directory' | 'images' | 'network'>,
  filters: Filters,
): (actor: ContainerActor) => boolean {
  assertFilterKeys(filters, FILTERS);
  const checks = [...filters].map(([key, values]) => check(deps, key, values));
  return (actor) => checks.every((accepts) => accepts(actor));
}

function check(
  deps: Pick<ContainerDeps, 'directory' | 'images' | 'network'>,
  key: string,
  values: readonly string[],
): (actor: ContainerActor) => boolean {
  switch (key) {
    case 'id':
      return ({ id }) => values.some((value) => id.startsWith(value));
    case 'name':
      return nameCheck(deps, values);
    case 'label':
      return ({ record }) => matchesLabels(values, record.config.Labels);
    case 'status':
      for (const value of values) {
        if (!STATUSES.includes(value)) throw new EngineError('invalid-argument', `invalid filter 'status=${value}'`);
      }
      return ({ state }) => values.includes(wireStatus(state));
    case 'exited':
      return exitedCheck(values);
    case 'before':
    case 'since':
      return ageCheck(deps, key, values);
    case 'ancestor':
      return ({ record }) => values.some((value) => isAncestor(deps, value, record));
    case 'network':
      return networkCheck(deps, values);
    case 'volume':
      return ({ record }) => mountPointsOf(record).some((point) => isMountOf(point, values));
    case 'is-task':
      return taskCheck(values);
    case 'health':
      return healthCheck(values);
    case 'publish':
    case 'expose': {
      const accepts = portFilter(key, values);
      return ({ record }) => accepts(record);
    }
    default:
      // Isolation is Windows'.
      return () => true;
  }
}

/** Asked for by name, or by the beginning of an id. */
function networkCheck(
  { network }: Pick<ContainerDeps, 'network'>,
  values: readonly string[],
): (actor: ContainerActor) => boolean {
  const networks = predefinedNetworks(network);
  return ({ record: { config, hostConfig } }) => {
    const choice = networkChoice(config, hostConfig);
    if (choice === 'container') return false;
    return values.some((value) => value === choice || (value !== '' && networks[choice].id.startsWith(value)));
  };
}

/** Asked for by the name of a volume, the source of a bind, or the place in the container. Source: moby daemon/list.go. */
function isMountOf(point: MountPoint, values: readonly string[]): boolean {
  if (point.kind === 'tmpfs' && point.origin === 'tmpfs') return false;
  const source = point.kind === 'volume' ? point.name : point.kind === 'bind' ? point.source : '';
  return values.some((value) => value === point.target || value === source);
}

/** Names are regular expressions, matched with and without the leading slash. Source: moby daemon/list.go. */
function nameCheck(
  deps: Pick<ContainerDeps, 'directory'>,
  values: readonly string[],
): (actor: ContainerActor) => boolean {
  const linked = linkNames(deps);
  const patterns = values.flatMap((value) => {
    try {
      return [new RegExp(value)];
    } catch {
      // Nothing is matched by it, as in Docker.
      return [];
    }
  });
  return ({ id, record }) => {
    const names = [`/${record.name}`, ...(linked.get(id) ?? [])];
    return patterns.some((pattern) => names.some((name) => pattern.test(name) || pattern.test(name.slice(1))));
  };
}

function healthCheck(values: readonly string[]): (actor: ContainerActor) => boolean {
  for (const value of values) {
    if (HEALTHS.includes(value)) continue;
    const words = `invalid value for health (${value}): must be one of ${HEALTHS.join(', ')}`;
    throw new EngineError('invalid-argument', words);
  }
  return ({ record }) => values.includes(record.health?.status ?? 'none');
}

/** No container here is a swarm's. Source: moby api/types/filters, GetBoolOrDefault. */
function taskCheck(values: readonly string[]): () => boolean {
  const truths = new Set(values.map((value) => ['true', '1'].includes(value)));
  const isBad = values.some((value) => !['true', '1', 'false', '0'].includes(value)) || truths.size > 1;
  if (isBad) throw new EngineError('invalid-argument', `invalid filter 'is-task=[${values.join(' ')}]'`);
  return () => !truths.has(true);
}

function exitedCheck(values: readonly string[]): (actor: ContainerActor) => boolean {
  const codes = values.map((value) => {
    if (!/^[+-]?\d+$/.test(value)) throw new EngineError('invalid-argument', `invalid filter 'exited=${value}'`);
    return Number(value);
  });
  return ({ state }) => state.status === 'exited' && codes.includes(exitCodeOf(state));
}

function ageCheck(
  deps: Pick<ContainerDeps, 'directory'>,
  key: 'before' | 'since',
  values: readonly string[],
): (actor: ContainerActor) => boolean {
  const moments = values.map((value) => deps.directory.resolve(value).record.createdAt.getTime());
  return ({ record }) => {
    const created = record.createdAt.getTime();
    return moments.every((moment) => (key === 'before' ? created < moment : created > moment));
  };
}

function isAncestor(deps: Pick<ContainerDeps, 'images'>, value: string, record: ContainerActor['record']): boolean {
  if (record.config.Image === value) return true;
  try {
    return deps.images.resolve(value).id === record.imageId;
  } catch {
    // An image nobody has is nobody's ancestor; Docker answers with an empty list, too.
    return false;
  }
}

function imageRefIsCurrent(deps: Pick<ContainerDeps, 'images'>, record: ContainerActor['record']): boolean {
  try {
    return deps.images.resolve(record.config.Image).id === record.imageId;
  } catch {
    // Its tag is gone.
    return false;
  }
}
