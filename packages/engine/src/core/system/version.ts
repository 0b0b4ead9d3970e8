import { API_VERSION, MIN_API_VERSION, type VersionInfo } from '@fairlead/protocol';
import type { ProgramFacts, SystemFacts } from './system-facts.ts';

/** Answer to `GET /version`. Source: engine-api 1.4. */
export function versionInfo(facts: SystemFacts): VersionInfo {
  const { engineVersion, gitCommit, buildTime, nodeVersion, kernelRelease } = facts;
  // The client has a line for Go's version and none for Node's.
  const goVersion = `node ${nodeVersion}`;
  const common = {
    ApiVersion: API_VERSION,
    MinAPIVersion: MIN_API_VERSION,
    GitCommit: gitCommit,
    GoVersion: goVersion,
  };
  const host = { Os: 'linux', Arch: facts.host.architecture, KernelVersion: kernelRelease };
  const programs = [...facts.runtimes.slice(0, 1), facts.monitor, ...(facts.init === undefined ? [] : [facts.init])];
  return {
    Platform: { Name: 'Fairlead' },
    Components: [
      {
        Name: 'Engine',
        Version: engineVersion,
        Details: { ...common, ...host, BuildTime: buildTime, Experimental: 'false' },
      },
      ...programs.map(component),
    ],
    Version: engineVersion,
    ...common,
    ...host,
    BuildTime: buildTime,
  };
}

function component({ name, version, path }: ProgramFacts): VersionInfo['Components'][number] {
  return { Name: name, Version: version, Details: { Path: path } };
}
