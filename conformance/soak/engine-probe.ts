/**
 * Loaded into the engine under test before everything else (`node --import`): tells, when asked by SIGUSR2, what it holds once
 * the garbage is collected.
 */
import { readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { memoryUsage } from 'node:process';
import { writeHeapSnapshot } from 'node:v8';

const path = process.env['SOAK_PROBE'];
if (path !== undefined) process.on('SIGUSR2', () => void tell(path));

/** Once the garbage of garbage is gone, too. */
async function tell(file: string): Promise<void> {
  for (let round = 0; round < 4; round++) {
    // The flavor that gives free pages back to the kernel: what is resident then is held, and not a cache of V8's.
    globalThis.gc?.({ execution: 'sync', type: 'major', flavor: 'last-resort' });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const snapshots = process.env['SOAK_SNAPSHOTS'];
  if (snapshots !== undefined) writeHeapSnapshot(`${snapshots}/${Date.now()}.heapsnapshot`);
  const memory = memoryUsage();
  const resources = process.getActiveResourcesInfo().filter((name) => name !== 'Timeout' && name !== 'Immediate');
  const descriptors = readdirSync('/proc/self/fd').map(descriptorKind);
  const sockets = activeHandles().map(wordsOf);
  writeFileSync(
    file,
    JSON.stringify({ memory, resources: count(resources), descriptors: count(descriptors), sockets }),
  );
}

/** Undocumented, and the only way to learn which connections are meant. */
function activeHandles(): readonly object[] {
  const list: unknown = Reflect.get(process, '_getActiveHandles');
  const handles: unknown = typeof list === 'function' ? list.call(process) : [];
  return Array.isArray(handles) ? handles : [];
}

function wordsOf(handle: object): string {
  const fields = [
    'bytesRead',
    'bytesWritten',
    'readableEnded',
    'readableFlowing',
    'readableLength',
    'writableEnded',
    'writableLength',
    'destroyed',
  ];
  const facts = fields.map((field) => `${field}=${String(Reflect.get(handle, field))}`).join(' ');
  const message: unknown = Reflect.get(handle, '_httpMessage');
  const request: unknown = typeof message === 'object' && message !== null ? Reflect.get(message, 'req') : undefined;
  const url = typeof request === 'object' && request !== null ? String(Reflect.get(request, 'url')) : '';
  return `${handle.constructor.name} ${facts} ${url}`;
}

function descriptorKind(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`).replaceAll(/\d+/g, 'N');
  } catch {
    return 'gone';
  }
}

function count(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names.toSorted()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
