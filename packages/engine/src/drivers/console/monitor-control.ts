import { EngineError, type ContainerId } from '@fairlead/protocol';
import type { TerminalSize } from '../../core/ports/console.ts';
import { isErrno } from '../../host/errno.ts';
import { writeFifo } from '../../host/fifo.ts';

/** The kernel keeps a size in 16 bits. Source: tty_ioctl(4), struct winsize. */
const TERMINAL_SIZE_MAX = 65_535;

/** Tells a container's monitor a terminal size. @throws EngineError 'not-found' when the monitor is gone. */
export async function sendResize(id: ContainerId, bundleDir: string, size: TerminalSize): Promise<void> {
  const [rows, columns] = [size.rows, size.columns].map((count) => Math.min(count, TERMINAL_SIZE_MAX));
  if (!(await sendControl(bundleDir, `1 ${rows} ${columns}\n`))) throw monitorGone(id);
}

/** Has the monitor begin a new log file in place of the one it writes. @returns false when the monitor is gone. */
export async function sendReopenLog(bundleDir: string): Promise<boolean> {
  return await sendControl(bundleDir, '2 0 0\n');
}

/** The failure of everything that needs a monitor which has ended. */
export function monitorGone(id: ContainerId, cause?: unknown): EngineError {
  return new EngineError('not-found', `No monitor for container ${id}: it is not running`, { cause });
}

/** The monitor reads lines of three numbers. Nobody at the other end is ENXIO, never a wait. */
async function sendControl(bundleDir: string, line: string): Promise<boolean> {
  try {
    await writeFifo(`${bundleDir}/ctl`, line);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENXIO', 'ENOENT', 'ENOTDIR', 'EPIPE')) return false;
    throw error;
  }
}
