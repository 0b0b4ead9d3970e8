import { NO_FILTERS, versionAtLeast, volumeEndpoints } from '@fairlead/protocol';
import { createVolume } from '../../core/volume/create.ts';
import type { VolumeDeps } from '../../core/volume/deps.ts';
import { pruneVolumes } from '../../core/volume/prune.ts';
import { removeVolume } from '../../core/volume/remove.ts';
import { describeVolume, inspectVolume, listVolumes } from '../../core/volume/view.ts';
import { route, type Route } from '../route.ts';

/** Everything under `/volumes`. Source: engine-api 9.3. */
export function volumeRoutes(deps: VolumeDeps): readonly Route[] {
  const { create, list, inspect, remove, prune } = volumeEndpoints;
  return [
    route(create, async (call) => {
      const { Name: name, Driver: driver, DriverOpts: options, Labels: labels } = call.body;
      const volume = await createVolume(deps, { name, driver, options, labels });
      call.operation?.target({ Type: 'volume', Id: volume.name, Name: volume.name });
      return { kind: 'json', body: describeVolume(deps, volume) };
    }),
    route(list, async ({ query }) => ({
      kind: 'json',
      body: { Volumes: listVolumes(deps, query.filters ?? NO_FILTERS), Warnings: null },
    })),
    route(inspect, async (call) => ({ kind: 'json', body: inspectVolume(deps, call.param('name')) })),
    route(remove, async (call) => {
      const name = call.param('name');
      call.operation?.target({ Type: 'volume', Id: name, Name: name });
      await removeVolume(deps, name, { force: call.query.force === true });
      return { kind: 'empty' };
    }),
    route(prune, async (call) => {
      const filters = call.query.filters ?? NO_FILTERS;
      const all = !versionAtLeast(call.apiVersion, '1.42');
      return { kind: 'json', body: await pruneVolumes(deps, { filters, all }) };
    }),
  ];
}
