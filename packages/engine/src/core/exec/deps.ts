import type { SpecDeps } from '../container/container-spec.ts';
import type { ContainerDeps } from '../container/deps.ts';
import type { ExecDirectory } from './directory.ts';

/** What the verbs of execs work with. */
export interface ExecDeps
  extends Pick<ContainerDeps, 'directory' | 'runtime' | 'snapshots' | 'clock' | 'publish'>, SpecDeps {
  readonly execs: ExecDirectory;
}
