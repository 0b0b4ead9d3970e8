import { fileURLToPath } from 'node:url';

/**
 * Path of `exec-keeper PIDFILE RUNTIME ARGUMENT...`: runs a detaching `exec` of an OCI runtime and ends with the exit code
 * of the process that it left behind. Source: native/programs/exec-keeper.c.
 */
export function execKeeperPath(): string {
  return pathOf('exec-keeper');
}

/**
 * Path of `container-keeper OPTIONS -- RUNTIME ARGUMENT...`: runs an OCI runtime's `create` and is the monitor of the process
 * that it makes. Source: native/programs/container-keeper.
 */
export function containerKeeperPath(): string {
  return pathOf('container-keeper');
}

function pathOf(name: string): string {
  return fileURLToPath(new URL(`build/Release/${name}`, import.meta.resolve('@fairlead/native')));
}
