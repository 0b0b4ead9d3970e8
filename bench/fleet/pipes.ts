import { FleetClient } from '@fairlead/client/fleet';
import { BATCH, figuresOf, measureRate } from './commands.ts';
import type { Figure } from './figure.ts';
import { FleetPlace } from './fleet-place.ts';
import { measureReconnects } from './reconnect.ts';

/** The same with agents that come through the hub's own port, as those of other machines do: `GET /v1/link`, a pipe for each. */
export async function measurePipes(agents: number): Promise<readonly Figure[]> {
  await using place = new FleetPlace();
  await place.startHub();
  const hosts = await place.enrol(agents);
  const connectedMs = await place.startAgents({ hub: place.url }, hosts);
  await using fleet = await FleetClient.open({ hub: place.socket });
  const batched = await measureRate({ place, fleet, hosts }, BATCH);
  return [
    { what: 'all agents connected, by pipes', value: `${(connectedMs / 1000).toFixed(1)} s`, goal: '' },
    ...figuresOf(`live commands, ${BATCH} a request, by pipes`, batched, ''),
    ...(await measureReconnects(place, ', by pipes')),
  ];
}
