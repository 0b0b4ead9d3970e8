import { assertFilterKeys, booleanFilter, matchesLabels, type Filters, type Volume } from '@fairlead/protocol';
import { EngineError } from '@fairlead/protocol';
import type { VolumeDeps } from './deps.ts';
import { LOCAL_DRIVER, type VolumeRecord } from './record.ts';

const LIST_FILTERS: readonly string[] = ['dangling', 'name', 'driver', 'label'];

type ViewDeps = Pick<VolumeDeps, 'directory' | 'store'>;

/** A volume as the API shows it. */
export function describeVolume({ store }: Pick<VolumeDeps, 'store'>, record: VolumeRecord): Volume {
  return {
    CreatedAt: `${record.createdAt.toISOString().slice(0, 19)}Z`,
    Driver: LOCAL_DRIVER,
    Labels: record.labels,
    Mountpoint: store.path(record.name),
    Name: record.name,
    Options: record.options,
    Scope: 'local',
  };
}

/** @throws EngineError 'not-found' `get NAME: no such volume`. */
export function inspectVolume(deps: ViewDeps, name: string): Volume {
  return describeVolume(deps, deps.directory.resolve(name));
}

/** By name. @throws EngineError 'invalid-argument' for an unknown filter or value. */
export function listVolumes(deps: ViewDeps, filters: Filters): readonly Volume[] {
  assertFilterKeys(filters, LIST_FILTERS);
  const accepts = volumeFilter(deps, filters);
  return deps.directory
    .all()
    .filter(accepts)
    .map((record) => describeVolume(deps, record));
}

/** The filters that list and prune share: name (regular expression), driver, label, label!, dangling. */
export function volumeFilter(
  { directory }: Pick<VolumeDeps, 'directory'>,
  filters: Filters,
): (record: VolumeRecord) => boolean {
  const dangling = booleanFilter(filters, 'dangling');
  const names = filters.get('name')?.map(pattern);
  const drivers = filters.get('driver');
  return ({ name, labels }) =>
    (names === undefined || names.some((expression) => expression.test(name))) &&
    (drivers === undefined || drivers.includes(LOCAL_DRIVER)) &&
    matchesLabels(filters.get('label'), labels) &&
    !(filters.has('label!') && matchesLabels(filters.get('label!'), labels)) &&
    (dangling === undefined || dangling === (directory.usersOf(name).length === 0));
}

/** Source: moby api/types/filters, Match: each value is a regular expression. */
function pattern(value: string): RegExp {
  try {
    return new RegExp(value);
  } catch (cause) {
    throw new EngineError('invalid-argument', `invalid filter 'name=${value}'`, { cause });
  }
}
