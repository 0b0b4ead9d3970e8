import type { ContainerFilesystem } from '../ports/container-filesystem.ts';
import type { ContainerDeps } from './deps.ts';
import type { FileUses } from './file-uses.ts';

/** What the verbs about a container's files work with. */
export type FileDeps = Pick<ContainerDeps, 'directory' | 'snapshots' | 'files' | 'volumes' | 'publish'> & {
  readonly filesystem: ContainerFilesystem;
  readonly fileUses: FileUses;
};
