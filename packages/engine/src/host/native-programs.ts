import { fileURLToPath } from 'node:url';

/**
 * Path of `exec-keeper PIDFILE RUNTIME ARGUMENT...`: runs a detaching `exec` of an OCI runtime and ends with the exit code
 * of the process that it left behind. Source: native/programs/exec-keeper.c.
 */
export function execKeeperPath(): string {
  return fileURLToPath(new URL('build/Release/exec-keeper', import.meta.resolve('@fairlead/native')));
}
