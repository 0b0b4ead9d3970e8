/**
 * Measures the fleet on this machine: `node bench/fleet/main.ts [--agents N] [--save]`.
 *
 * The hub is a process of its own with its nats-server, the agents are in processes of 500, the callers in this one; all of them
 * share the machine's processors, so what is measured is what all of it together can do.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FleetClient } from '@fairlead/client/fleet';
import { FleetPlace } from './fleet-place.ts';
import { natsUrlOf } from './nats-url.ts';
import { measureTerminal } from './terminal.ts';

interface Figure {
  readonly what: string;
  readonly value: string;
  readonly goal: string;
}

const RATE_SECONDS = 8;
const RATE_AT_ONCE = 64;
const BATCH = 100;
const LATENCY_COMMANDS = 2_000;
const LATENCY_PAUSE_MS = 5;

const { values } = parseArgs({ options: { agents: { type: 'string' }, save: { type: 'boolean' } } });
const agents = Number(values.agents ?? 1_000);
const figures: Figure[] = [];

await using place = new FleetPlace();
await place.startHub();
const hosts = await timed('enrol', () => place.enrol(agents));
const before = place.memory();
const connectedMs = await place.startAgents([natsUrlOf(place.directory)], hosts);
await allOnline();
add('all agents connected', `${(connectedMs / 1000).toFixed(1)} s`, '');
const after = place.memory();
const perAgent = (bytes: number): string => `${(bytes / agents / 1024).toFixed(1)} KiB`;
// All of it: what enrolling has left in its heap hides what the agents add.
add('memory per agent, the whole hub', perAgent(after.hubBytes), '≤ 60 KB');
add('memory per agent, nats-server', perAgent(after.natsBytes - before.natsBytes), '');
await using fleet = await FleetClient.open({ hub: place.socket });
add('live commands, one request each', `${(await rate(1)).toFixed(0)} /s`, '');
add(`live commands, ${BATCH} a request`, `${(await rate(BATCH)).toFixed(0)} /s`, '≥ 5,000 /s');
const delays = await latencies();
add('no-op command, p50', `${delays.at(Math.floor(delays.length / 2))?.toFixed(1)} ms`, '');
add('no-op command, p99', `${delays.at(Math.floor(delays.length * 0.99))?.toFixed(1)} ms`, '< 50 ms');
add('all agents back after kill -9 of the hub', `${((await reconnect()) / 1000).toFixed(1)} s`, '< 10 s');
for (const figure of await measureTerminal()) figures.push(figure);
report();

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

async function allOnline(): Promise<void> {
  await using watching = await FleetClient.open({ hub: place.socket });
  for (;;) {
    const online = (await watching.hosts()).filter(({ state }) => state === 'online').length;
    if (online === agents) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Commands per second, submitted and ended. */
async function rate(batch: number): Promise<number> {
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
async function latencies(): Promise<readonly number[]> {
  const delays: number[] = [];
  for (let at = 0; at < LATENCY_COMMANDS; at += 1) {
    const startedAt = performance.now();
    await (await fleet.submit({ host: hosts[at % hosts.length]?.host ?? '', command: { verb: 'noop' } })).wait();
    delays.push(performance.now() - startedAt);
    await new Promise((resolve) => setTimeout(resolve, LATENCY_PAUSE_MS));
  }
  return delays.sort((a, b) => a - b);
}

async function reconnect(): Promise<number> {
  await place.killHub();
  const startedAt = performance.now();
  await place.startHub();
  await allOnline();
  return performance.now() - startedAt;
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
