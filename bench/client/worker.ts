/** One measurement of one client, in a process of its own: `node worker.ts CLIENT MEASUREMENT SOCKET`. Prints the number. */
import { setTimeout as sleep } from 'node:timers/promises';
import { openClient } from './contenders.ts';
import { BIG, SMALL } from './scripted-engine.ts';

const EXECS = 20;
const STALLED_MS = 2_000;

const [name = '', measurement = '', socketPath = ''] = process.argv.slice(2);

const MEASUREMENTS: Readonly<Record<string, () => Promise<number>>> = {
  import: async () => {
    const started = performance.now();
    await import(name);
    return performance.now() - started;
  },
  demux: async () => {
    const seconds = await secondsToRead('big', BIG.frameBytes * BIG.frames);
    return (BIG.frameBytes * BIG.frames) / 1e6 / seconds;
  },
  'small-frames': async () => SMALL.frames / (await secondsToRead('small', SMALL.frameBytes * SMALL.frames)) / 1000,
  stalled: async () => {
    const client = await openClient(name, socketPath);
    const before = process.memoryUsage.rss();
    await client.stallOnLog('endless');
    await sleep(STALLED_MS);
    return (process.memoryUsage.rss() - before) / 1e6;
  },
  exec: async () => {
    const client = await openClient(name, socketPath);
    const taken: number[] = [];
    for (let at = 0; at <= EXECS; at += 1) {
      const started = performance.now();
      if ((await client.exec('target', ['true'])) !== 0) throw new Error('exec of true did not end with 0');
      // The first one opens connections.
      if (at > 0) taken.push(performance.now() - started);
    }
    return taken.toSorted((a, b) => a - b)[EXECS / 2] ?? Number.NaN;
  },
};

async function secondsToRead(container: string, bytes: number): Promise<number> {
  const client = await openClient(name, socketPath);
  const started = performance.now();
  const received = await client.readLog(container);
  if (received !== bytes) throw new Error(`${received} of ${bytes} bytes came`);
  return (performance.now() - started) / 1000;
}

const measure = MEASUREMENTS[measurement];
if (measure === undefined) throw new Error(`there is no measurement ${measurement}`);
process.stdout.write(String(await measure()));
process.exit();
