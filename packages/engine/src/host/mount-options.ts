import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { getSystemErrorMessage } from 'node:util';
import { EngineError } from '@fairlead/protocol';
import { isErrno } from './errno.ts';
import { ensureMounted } from './mounts.ts';

/** Options of mount(8) that are bits of mount(2); those that take a bit away have `false`. Source: linux/mount.h, moby sys/mount. */
const FLAGS: ReadonlyMap<string, readonly [set: boolean, bits: number]> = new Map([
  ['defaults', [true, 0]],
  ['ro', [true, 1]],
  ['rw', [false, 1]],
  ['nosuid', [true, 2]],
  ['suid', [false, 2]],
  ['nodev', [true, 4]],
  ['dev', [false, 4]],
  ['noexec', [true, 8]],
  ['exec', [false, 8]],
  ['sync', [true, 16]],
  ['async', [false, 16]],
  ['dirsync', [true, 128]],
  ['mand', [true, 64]],
  ['nomand', [false, 64]],
  ['noatime', [true, 1024]],
  ['atime', [false, 1024]],
  ['nodiratime', [true, 2048]],
  ['diratime', [false, 2048]],
  ['bind', [true, 4096]],
  ['rbind', [true, 4096 | 16_384]],
  ['relatime', [true, 1 << 21]],
  ['norelatime', [false, 1 << 21]],
  ['strictatime', [true, 1 << 24]],
  ['nostrictatime', [false, 1 << 24]],
]);

/** Takes mount(8)'s option list apart into the bits of mount(2) and the file system's own options. */
export function parseMountOptions(text: string): { readonly flags: number; readonly data: string } {
  let flags = 0;
  const data: string[] = [];
  for (const option of text.split(',').filter((word) => word !== '')) {
    const known = FLAGS.get(option);
    if (known === undefined) data.push(option);
    else flags = known[0] ? flags | known[1] : flags & ~known[1];
  }
  return { flags, data: data.join(',') };
}

export interface DeviceMount {
  readonly type: string;
  readonly device: string;
  readonly target: string;
  /** As mount(8) takes them. */
  readonly options: string;
}

/**
 * Mounts a device, a network file system or a directory unless something is mounted at the target already. `addr=NAME` of a
 * network file system is looked up: the kernel takes addresses only.
 *
 * @throws EngineError 'internal' in the words of Go's runtime: `mount DEVICE:TARGET, flags: 0x1000, data: size=1m: no such file or directory`.
 */
export async function mountDevice(request: DeviceMount): Promise<void> {
  const { type, device, target } = request;
  const { flags, data } = parseMountOptions(request.options);
  try {
    const options = await withAddress(type, data);
    await ensureMounted({ source: device, target, type, flags, options });
  } catch (cause) {
    const shown = `${flags === 0 ? '' : `, flags: 0x${flags.toString(16)}`}${data === '' ? '' : `, data: ${data}`}`;
    throw new EngineError('internal', `mount ${device}:${target}${shown}: ${wordsOf(cause)}`, { cause });
  }
}

async function withAddress(type: string, data: string): Promise<string> {
  const [, name] = /(?:^|,)addr=([^,]+)/.exec(data) ?? [];
  if (!/^(?:nfs|nfs4|cifs)$/.test(type) || name === undefined || isIP(name) !== 0) return data;
  const { address } = await lookup(name);
  return data.replace(`addr=${name}`, `addr=${address}`);
}

function wordsOf(error: unknown): string {
  if (isErrno(error) && error.errno !== undefined) return getSystemErrorMessage(error.errno) ?? error.message;
  return error instanceof Error ? error.message : String(error);
}
