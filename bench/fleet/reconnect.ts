import type { Figure } from './figure.ts';
import type { FleetCpu, FleetPlace } from './fleet-place.ts';

/** How long it takes until the hub has greeted every agent again: after its own death, and after its nats-server's. `how` they are linked is in the figures. */
export async function measureReconnects(place: FleetPlace, how = ''): Promise<readonly Figure[]> {
  const afterHub = await outage(place, 2, async () => {
    await place.killHub();
    await place.startHub();
  });
  const afterNats = await outage(place, 3, async () => process.kill(place.natsPid(), 'SIGKILL'));
  return [
    figure(`all agents back after kill -9 of the hub${how}`, afterHub),
    figure(`all agents back after kill -9 of the nats-server${how}`, afterNats),
  ];
}

interface Outage {
  readonly seconds: number;
  readonly cpu: FleetCpu;
}

async function outage(place: FleetPlace, times: number, kill: () => Promise<unknown>): Promise<Outage> {
  const before = place.cpu();
  const startedAt = performance.now();
  await kill();
  await place.linked(times);
  const seconds = (performance.now() - startedAt) / 1000;
  const after = place.cpu();
  // A process that was killed took its time with it: its successor began at nothing.
  const spent = (was: number, is: number): number => (is >= was ? is - was : is);
  const cpu = {
    hub: spent(before.hub, after.hub),
    nats: spent(before.nats, after.nats),
    agents: after.agents - before.agents,
  };
  return { seconds, cpu };
}

function figure(what: string, { seconds, cpu }: Outage): Figure {
  const spent = `hub ${cpu.hub.toFixed(1)}, nats-server ${cpu.nats.toFixed(1)}, agents ${cpu.agents.toFixed(1)} s of a processor`;
  return { what, value: `${seconds.toFixed(1)} s (${spent})`, goal: '< 10 s' };
}
