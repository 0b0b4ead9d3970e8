import type { ExecConfig } from '@fairlead/protocol';
import type { ContainerActor } from '../container/actor.ts';
import { containerProcess, containerUser } from '../container/container-spec.ts';
import { linkedEnvironment } from '../container/links.ts';
import { execProcess } from '../spec/exec-process.ts';
import type { OciProcess } from '../spec/oci.ts';
import type { ExecDeps } from './deps.ts';

/** The process of an exec in a running container. @throws EngineError for an unknown user or group. */
export async function execProcessOf(deps: ExecDeps, actor: ContainerActor, config: ExecConfig): Promise<OciProcess> {
  const { record } = actor;
  const rootPath = deps.snapshots.rootPath(record.id);
  const user = await containerUser(deps, rootPath, {
    user: config.User === '' ? record.config.User : config.User,
    groupAdd: record.hostConfig.GroupAdd ?? [],
  });
  const target = {
    process: containerProcess(deps, record, user),
    hostname: record.config.Hostname,
    env: [...linkedEnvironment(deps, record), ...(record.config.Env ?? [])],
    workingDir: record.config.WorkingDir,
    availableCapabilities: deps.facts.capabilities,
  };
  return execProcess(target, config, user);
}
