/**
 * Measures the fleet on this machine: `node bench/fleet/main.ts [--agents N] [--only commands|reconnect|terminal] [--save]`.
 *
 * The hub is a process of its own with its nats-server, the agents are in processes of 500, the callers in this one; all of them
 * share the machine's processors, so what is measured is what all of it together can do.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FleetClient } from '@fairlead/client/fleet';
import type { Figure } from './figure.ts';
import type { PooledHost } from './agent-pool.ts';
import { FleetPlace } from './fleet-place.ts';
import { natsUrlOf } from './nats-url.ts';
import { measureReconnects } from './reconnect.ts';
import { measureTerminal } from './terminal.ts';

const RATE_SECONDS = 8;
const RATE_AT_ONCE = 64;
const BATCH = 100;
const LATENCY_COMMANDS = 2_000;
const LATENCY_PAUSE_MS = 5;

const { values } = parseArgs({
  options: { agents: { type: 'string' }, save: { type: 'boolean' }, only: { type: 'string', multiple: true } },
});
const agents = Number(values.agents ?? 1_000);
const wanted = (part: 'commands' | 'reconnect' | 'terminal'): boolean => values.only?.includes(part) ?? true;
const figures: Figure[] = [];

if (wanted('commands') || wanted('reconnect')) await measureAgents();
if (wanted('terminal')) for (const figure of await measureTerminal()) add(figure.what, figure.value, figure.goal);
report();

async function measureAgents(): Promise<void> {
  await using place = new FleetPlace();
  await place.startHub();
  const hosts = await timed('enrol', () => place.enrol(agents));
  const before = place.memory();
  const connectedMs = await place.startAgents([natsUrlOf(place.directory)], hosts);
  add('all agents connected', `${(connectedMs / 1000).toFixed(1)} s`, '');
  const after = place.memory();
  const perAgent = (bytes: number): string => `${(bytes / agents / 1024).toFixed(1)} KiB`;
  // All of it: what enrolling has left in its heap hides what the agents add.
  add('memory per agent, the whole hub', perAgent(after.hubBytes), '≤ 60 KB');
  add('memory per agent, nats-server', perAgent(after.natsBytes - before.natsBytes), '');
  if (wanted('commands')) await measureCommands(place, hosts);
  if (wanted('reconnect'))
    for (const figure of await measureReconnects(place)) add(figure.what, figure.value, figure.goal);
}

async function measureCommands(place: FleetPlace, hosts: readonly PooledHost[]): Promise<void> {
  await using fleet = await FleetClient.open({ hub: place.socket });
  add('live commands, one request each', `${(await rate({ fleet, hosts, batch: 1 })).toFixed(0)} /s`, '');
  add(
    `live commands, ${BATCH} a request`,
    `${(await rate({ fleet, hosts, batch: BATCH })).toFixed(0)} /s`,
    '≥ 5,000 /s',
  );
  const delays = await latencies(fleet, hosts);
  add('no-op command, p50', `${delays.at(Math.floor(delays.length / 2))?.toFixed(1)} ms`, '');
  add('no-op command, p99', `${delays.at(Math.floor(delays.length * 0.99))?.toFixed(1)} ms`, '< 50 ms');
}

function add(what: string, value: string, goal: string): void {
  figures.push({ what, value, goal });
  console.error(`${what}: ${value}`);
}

async function timed<T>(what: string, act: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const result = await act();
  console.error(`${what}: ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  return result;
}

/** Commands per second, submitted and ended. */
async function rate({
  fleet,
  hosts,
  batch,
}: {
  readonly fleet: FleetClient;
  readonly hosts: readonly PooledHost[];
  readonly batch: number;
}): Promise<number> {
  const until = performance.now() + RATE_SECONDS * 1000;
  let done = 0;
  let next = 0;
  const host = (): string => hosts[next++ % hosts.length]?.host ?? '';
  const keepAsking = async (): Promise<void> => {
    while (performance.now() < until) {
      const requests = Array.from({ length: batch }, () => ({ host: host(), command: { verb: 'noop' } as const }));
      const [first] = requests;
      const asked = batch === 1 && first !== undefined ? [await fleet.submit(first)] : await fleet.submitAll(requests);
      await Promise.all(asked.map(async (one) => ('wait' in one ? await one.wait() : undefined)));
      done += batch;
    }
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: batch === 1 ? RATE_AT_ONCE : 16 }, keepAsking));
  return done / ((performance.now() - startedAt) / 1000);
}

/** Of single commands, one after the other, each to another host; sorted, ms. */
async function latencies(fleet: FleetClient, hosts: readonly PooledHost[]): Promise<readonly number[]> {
  const delays: number[] = [];
  for (let at = 0; at < LATENCY_COMMANDS; at += 1) {
    const startedAt = performance.now();
    await (await fleet.submit({ host: hosts[at % hosts.length]?.host ?? '', command: { verb: 'noop' } })).wait();
    delays.push(performance.now() - startedAt);
    await new Promise((resolve) => setTimeout(resolve, LATENCY_PAUSE_MS));
  }
  return delays.sort((a, b) => a - b);
}

function report(): void {
  const rows = figures.map(({ what, value, goal }) => `| ${what} | ${value} | ${goal} |`);
  const table = [`| ${agents.toLocaleString('en')} agents | measured | goal |`, '| --- | ---: | ---: |', ...rows].join(
    '\n',
  );
  console.log(table);
  if (values.save === true) {
    writeFileSync(join(import.meta.dirname, '../fleet-results.md'), `# The fleet, measured\n\n${table}\n`);
  }
}
