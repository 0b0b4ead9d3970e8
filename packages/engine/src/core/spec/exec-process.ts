import { toOciCapabilities } from './capabilities.ts';
import { buildEnvironment } from './environment.ts';
import type { OciProcess } from './oci.ts';
import type { ResolvedUser } from './resolve-user.ts';

/** One exec, as asked for: the fields of `POST /containers/{}/exec` that shape the process. */
export interface ExecConfig {
  readonly cmd: readonly string[];
  readonly env: readonly string[];
  readonly tty: boolean;
  readonly privileged: boolean;
  /** Empty: the container's. */
  readonly workingDir: string;
}

/** The container as it was made. */
export interface ExecTarget {
  /** `process` of the container's own spec. */
  readonly process: OciProcess;
  readonly hostname: string;
  /** The container's effective Config.Env. */
  readonly env: readonly string[];
  /** What this engine can give at most, for a privileged exec. */
  readonly availableCapabilities: readonly string[];
  /** Empty: `/`. */
  readonly workingDir: string;
}

/**
 * The process of an exec: the container's, with its own command, user, directory and environment.
 *
 * The environment is made anew (Docker does: `TERM` follows the exec's terminal, `HOME` its user), then the exec's own
 * variables override. Privileged means all capabilities and nothing else. Source: moby daemon/exec_linux.go.
 */
export function execProcess(target: ExecTarget, config: ExecConfig, user: ResolvedUser): OciProcess {
  const { consoleSize: _containersOwn, capabilities, ...inherited } = target.process;
  const env = [...target.env, ...config.env];
  const cwd = config.workingDir !== '' ? config.workingDir : target.workingDir;
  const granted = config.privileged ? toOciCapabilities(target.availableCapabilities) : capabilities;
  return {
    ...inherited,
    args: config.cmd,
    env: buildEnvironment({ hostname: target.hostname, tty: config.tty, env, home: user.home }),
    cwd: cwd === '' ? '/' : cwd,
    terminal: config.tty,
    user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
    ...(granted === undefined ? {} : { capabilities: granted }),
  };
}
