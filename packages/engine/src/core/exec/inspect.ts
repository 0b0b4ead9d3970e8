import type { ExecInspect } from '@fairlead/protocol';
import type { ExecDeps } from './deps.ts';

/** An exec as `GET /exec/{id}/json` shows it. @throws EngineError 'not-found'. */
export function inspectExec(deps: Pick<ExecDeps, 'execs'>, id: string): ExecInspect {
  const { state, config, containerId, detachKeys, id: fullId } = deps.execs.resolve(id);
  const [entrypoint = '', ...args] = config.Cmd ?? [];
  return {
    ID: fullId,
    // From the claim on, as in Docker: who polls until it is false must not be done before it began.
    Running: state.status === 'starting' || state.status === 'running',
    ExitCode: state.status === 'exited' ? state.exitCode : null,
    ProcessConfig: {
      tty: config.Tty,
      entrypoint,
      arguments: args,
      privileged: config.Privileged,
      ...(config.User === '' ? {} : { user: config.User }),
    },
    OpenStdin: config.AttachStdin,
    OpenStderr: config.AttachStderr,
    OpenStdout: config.AttachStdout,
    CanRemove: false,
    ContainerID: containerId,
    DetachKeys: config.DetachKeys === '' ? '' : Buffer.from(detachKeys).toString('base64'),
    Pid: state.status === 'running' || state.status === 'exited' ? state.pid : 0,
  };
}
