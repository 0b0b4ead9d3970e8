import { FleetClient } from '@fairlead/client/fleet';
import type { PooledHost } from './agent-pool.ts';
import type { Figure } from './figure.ts';
import type { FleetPlace } from './fleet-place.ts';

const RATE_SECONDS = 8;
const REQUESTS_AT_ONCE = 64;
const BATCHES_AT_ONCE = 16;
/** Commands of one request. */
export const BATCH = 100;
const LATENCY_COMMANDS = 2_000;
const LATENCY_PAUSE_MS = 5;

/** No-op commands to every host in turn, as many as there can be, and one after the other. */
export async function measureCommands(place: FleetPlace, hosts: readonly PooledHost[]): Promise<readonly Figure[]> {
  await using fleet = await FleetClient.open({ hub: place.socket });
  const single = await measureRate({ place, fleet, hosts }, 1);
  const batched = await measureRate({ place, fleet, hosts }, BATCH);
  const delays = await measureDelays(fleet, hosts);
  const delayAt = (share: number): string => `${delays[Math.floor(delays.length * share)]?.toFixed(1)} ms`;
  return [
    ...figuresOf('live commands, one request each', single, ''),
    ...figuresOf(`live commands, ${BATCH} a request`, batched, '≥ 5,000 /s'),
    { what: 'no-op command, p50', value: delayAt(0.5), goal: '' },
    { what: 'no-op command, p99', value: delayAt(0.99), goal: '< 50 ms' },
  ];
}

export function figuresOf(what: string, { perSecond, costUs }: Rate, goal: string): readonly Figure[] {
  const costs = Object.entries(costUs).map(([part, us]) => `${part} ${us.toFixed(0)}`);
  return [
    { what, value: `${perSecond.toFixed(0)} /s`, goal },
    { what: '… processor time for each', value: `${costs.join(', ')} µs`, goal: '' },
  ];
}

/** What commands cost, and who pays: microseconds of processor per command. */
interface Rate {
  readonly perSecond: number;
  readonly costUs: Readonly<Record<string, number>>;
}

/** No-op commands per second, submitted and ended, `batch` a request. */
export async function measureRate(
  {
    place,
    fleet,
    hosts,
  }: { readonly place: FleetPlace; readonly fleet: FleetClient; readonly hosts: readonly PooledHost[] },
  batch: number,
): Promise<Rate> {
  let done = 0;
  let next = 0;
  const host = (): string => hosts[next++ % hosts.length]?.host ?? '';
  const startedAt = performance.now();
  const until = startedAt + RATE_SECONDS * 1000;
  const before = spent(place);
  const keepAsking = async (): Promise<void> => {
    while (performance.now() < until) {
      const requests = Array.from({ length: batch }, () => ({ host: host(), command: { verb: 'noop' } as const }));
      const [first] = requests;
      const asked = batch === 1 && first !== undefined ? [await fleet.submit(first)] : await fleet.submitAll(requests);
      await Promise.all(asked.map(async (one) => ('wait' in one ? await one.wait() : undefined)));
      done += batch;
    }
  };
  await Promise.all(Array.from({ length: batch === 1 ? REQUESTS_AT_ONCE : BATCHES_AT_ONCE }, keepAsking));
  const perSecond = done / ((performance.now() - startedAt) / 1000);
  const costs = spent(place).map(
    ([part, seconds], at) => [part, ((seconds - (before[at]?.[1] ?? 0)) * 1e6) / done] as const,
  );
  return { perSecond, costUs: Object.fromEntries(costs) };
}

/** Delays of single commands, one after the other, each to another host; sorted, ms. */
async function measureDelays(fleet: FleetClient, hosts: readonly PooledHost[]): Promise<readonly number[]> {
  const delays: number[] = [];
  for (let at = 0; at < LATENCY_COMMANDS; at += 1) {
    const startedAt = performance.now();
    await (await fleet.submit({ host: hosts[at % hosts.length]?.host ?? '', command: { verb: 'noop' } })).wait();
    delays.push(performance.now() - startedAt);
    await new Promise((resolve) => setTimeout(resolve, LATENCY_PAUSE_MS));
  }
  return delays.sort((a, b) => a - b);
}

/** Processor time so far of every part that has a share in a command, in seconds. */
function spent(place: FleetPlace): readonly (readonly [part: string, seconds: number])[] {
  const { hub, nats, agents } = place.cpu();
  const { user, system } = process.cpuUsage();
  return [
    ['hub', hub],
    ['nats-server', nats],
    ['agents', agents],
    ['caller', (user + system) / 1e6],
  ];
}
