import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process';

/** Node with these arguments, as a child that ends with this process in every case: the kernel kills it when this one dies, also by kill -9. */
export function spawnBound(args: readonly string[], stdio: StdioOptions): ChildProcess {
  return spawn('setpriv', ['--pdeathsig', 'KILL', process.execPath, ...args], { stdio });
}
