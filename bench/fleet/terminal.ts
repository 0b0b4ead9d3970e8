import { connect } from '@fairlead/client';
import { EngineUnderTest } from '@fairlead/conformance/engines';
import { FleetProcesses } from '@fairlead/conformance/fleet-processes';
import type { Figure } from './figure.ts';

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
  const rate = await throughput();
  await web.containers.remove('bench', { force: true });
  return [
    { what: 'terminal, echo, p50', value: `${delays[Math.floor(ECHOES / 2)]?.toFixed(2)} ms`, goal: '< 2 ms' },
    { what: 'terminal, output', value: `${rate.toFixed(0)} MB/s`, goal: '≥ 100 MB/s' },
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

  async function throughput(): Promise<number> {
    const blocks = String(STREAM_BYTES / (1024 * 1024));
    await using stream = await web.containers.spawn('bench', ['dd', 'if=/dev/zero', 'bs=1M', `count=${blocks}`]);
    const startedAt = performance.now();
    let bytes = 0;
    for await (const chunk of stream.output()) bytes += chunk.bytes.length;
    return bytes / 1e6 / ((performance.now() - startedAt) / 1000);
  }
}
