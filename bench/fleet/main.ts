/**
 * Measures the fleet on this machine: `node bench/fleet/main.ts [--agents N] [--only commands|reconnect|pipes|terminal] [--save]`.
 *
 * The hub is a process of its own with its nats-server, the agents are in processes of 500, the callers in this one; all of them
 * share the machine's processors, so what is measured is what all of it together can do.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measureCommands } from './commands.ts';
import { measureConnecting } from './connecting.ts';
import type { Figure } from './figure.ts';
import { FleetPlace } from './fleet-place.ts';
import { measurePipes } from './pipes.ts';
import { measureReconnects } from './reconnect.ts';
import { measureTerminal } from './terminal.ts';

const { values } = parseArgs({
  options: { agents: { type: 'string' }, save: { type: 'boolean' }, only: { type: 'string', multiple: true } },
});
const agents = Number(values.agents ?? 1_000);
const wanted = (part: 'commands' | 'reconnect' | 'pipes' | 'terminal'): boolean => values.only?.includes(part) ?? true;
const figures: Figure[] = [];

if (wanted('commands') || wanted('reconnect')) await measureAgents();
if (wanted('pipes')) for (const figure of await measurePipes(agents)) add(figure);
if (wanted('terminal')) for (const figure of await measureTerminal()) add(figure);
report();

async function measureAgents(): Promise<void> {
  await using place = new FleetPlace();
  await place.startHub();
  const hosts = await timed('enrol', () => place.enrol(agents));
  for (const figure of await measureConnecting(place, hosts)) add(figure);
  if (wanted('commands')) for (const figure of await measureCommands(place, hosts)) add(figure);
  if (wanted('reconnect')) for (const figure of await measureReconnects(place)) add(figure);
}

function add(figure: Figure): void {
  figures.push(figure);
  console.error(`${figure.what}: ${figure.value}`);
}

async function timed<T>(what: string, act: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const result = await act();
  console.error(`${what}: ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  return result;
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
