import { connect } from '@fairlead/client';
import { EngineUnderTest } from '@fairlead/conformance/engines';
import { FleetProcesses } from '@fairlead/conformance/fleet-processes';
import type { Figure } from './figure.ts';
import { processorTimesBelow } from './processor-time.ts';

const ECHOES = 500;
const STREAM_BYTES: number = 512 * 1024 * 1024;

/** A terminal on another host, through hub and agent: how long an echo takes, and how much passes. */
export async function measureTerminal(): Promise<readonly Figure[]> {
  await using engine = await EngineUnderTest.start('fairlead');
  await using processes = await FleetProcesses.open();
  await processes.addHost('web', { engine: `unix://${engine.socketPath}` });
  await using web = await connect({ hub: processes.socket, host: 'web' });
  await web.containers.create({ Image: 'busybox', Cmd: ['sleep', '1000'] }, { name: 'bench' });
  await web.containers.start('bench');
  const delays = await echoes();
  const { megabytesPerSecond, cost } = await throughput();
  await web.containers.remove('bench', { force: true });
  return [
    { what: 'terminal, echo, p50', value: `${delays[Math.floor(ECHOES / 2)]?.toFixed(2)} ms`, goal: '< 2 ms' },
    { what: 'terminal, output', value: `${megabytesPerSecond.toFixed(0)} MB/s`, goal: '≥ 100 MB/s' },
    { what: '… processor time for each MB', value: cost, goal: '' },
  ];

  async function echoes(): Promise<readonly number[]> {
    await using shell = await web.containers.spawn('bench', ['cat'], { stdin: true });
    const output = shell.output()[Symbol.asyncIterator]();
    const delays: number[] = [];
    for (let at = 0; at < ECHOES; at += 1) {
      const startedAt = performance.now();
      await shell.write(Buffer.from('x'));
      await output.next();
      delays.push(performance.now() - startedAt);
    }
    return delays.sort((a, b) => a - b);
  }

  async function throughput(): Promise<{ readonly megabytesPerSecond: number; readonly cost: string }> {
    const blocks = String(STREAM_BYTES / (1024 * 1024));
    const before = spent();
    const startedAt = performance.now();
    await using stream = await web.containers.spawn('bench', ['dd', 'if=/dev/zero', 'bs=1M', `count=${blocks}`]);
    let bytes = 0;
    for await (const chunk of stream.output()) bytes += chunk.bytes.length;
    const megabytes = bytes / 1e6;
    const megabytesPerSecond = megabytes / ((performance.now() - startedAt) / 1000);
    const costs = [...spent()].map(([part, seconds]) => {
      const us = ((seconds - (before.get(part) ?? 0)) * 1e6) / megabytes;
      return `${part} ${us.toFixed(0)}`;
    });
    return { megabytesPerSecond, cost: `${costs.join(', ')} µs` };
  }
}

/** Processor time so far of everybody who hands on what a program says, in seconds. */
function spent(): ReadonlyMap<string, number> {
  const { user, system } = process.cpuUsage();
  const parts = new Map([['caller', (user + system) / 1e6]]);
  for (const { commandLine, seconds } of processorTimesBelow(process.pid)) {
    const part = PARTS.find(([, pattern]) => pattern.test(commandLine))?.[0];
    if (part !== undefined) parts.set(part, (parts.get(part) ?? 0) + seconds);
  }
  return parts;
}

/** By their command lines. */
const PARTS: readonly (readonly [part: string, pattern: RegExp])[] = [
  ['hub', /\/main\.ts hub /],
  ['agent', /\/main\.ts agent /],
  ['nats-server', /^\S*nats-server /],
  ['engine', /\/main\.ts (serve|engine|daemon)/],
];
