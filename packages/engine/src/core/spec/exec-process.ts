import type { ExecConfig } from '@fairlead/protocol';
import { toOciCapabilities } from './capabilities.ts';
import { buildEnvironment } from './environment.ts';
import type { OciProcess } from './oci.ts';
import type { ResolvedUser } from './resolve-user.ts';

/** The container an exec runs in, as it was made. */
export interface ExecTarget {
  /** `process` of the container's own spec. */
  readonly process: OciProcess;
  readonly hostname: string;
  /** Config.Env of the container's effective config. */
  readonly env: readonly string[];
  /** Config.WorkingDir of the container's effective config; empty is `/`. */
  readonly workingDir: string;
  /** What this engine can give at most, for a privileged exec. */
  readonly availableCapabilities: readonly string[];
}

/**
 * The process of an exec: the container's, with its own command, user, directory and environment.
 *
 * The environment is made anew (as in Docker: `TERM` follows the exec's terminal, `HOME` its user), then the exec's own
 * variables override. Privileged means all capabilities and nothing else. Source: moby daemon/exec_linux.go.
 */
export function execProcess(target: ExecTarget, config: ExecConfig, user: ResolvedUser): OciProcess {
  const { consoleSize: _ofTheContainer, capabilities, ...inherited } = target.process;
  const granted = config.Privileged ? toOciCapabilities(target.availableCapabilities) : capabilities;
  const env = [...target.env, ...(config.Env ?? [])];
  return {
    ...inherited,
    args: config.Cmd ?? [],
    env: buildEnvironment({ hostname: target.hostname, tty: config.Tty, env, home: user.home }),
    cwd: config.WorkingDir || target.workingDir || '/',
    terminal: config.Tty,
    user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
    ...(granted === undefined ? {} : { capabilities: granted }),
    ...(config.Tty && config.ConsoleSize !== null
      ? { consoleSize: { height: config.ConsoleSize[0], width: config.ConsoleSize[1] } }
      : {}),
  };
}
